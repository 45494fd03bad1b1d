/* dsl_words.h - names and strings as the language writes them; private to import/. */
#ifndef OLAC_IMPORT_DSL_WORDS_H
#define OLAC_IMPORT_DSL_WORDS_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>

/* A name: as it is where the scanner reads it as one, else in `backticks` with escapes. */
void words_name(struct str *out, const char *name);
/* "a string" with escapes; control characters and bytes that are not UTF-8 as \xHH. */
void words_string(struct str *out, const char *text);
/* The name of a node that is not named itself, from its first output: "x" makes x, and "x_output_0"
 * is made by "x", as PyTorch's exporter has it. */
const char *words_node(struct arena *a, const char *output);
/* Keeps in *best the candidate that is nearest to `word`, when it is near enough to be meant;
 * *score is UINT32_MAX at the start. */
void words_nearest(const char *word, const char *candidate, const char **best, uint32_t *score);

#endif
