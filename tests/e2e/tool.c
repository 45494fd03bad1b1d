/* tool.c - what the shell tests read answers with.
 *   tool json FILE PATH...
 *     a line for each PATH (a.b.c, a.0 in arrays): a scalar as it is, N for an array of N, {} for
 *     an object; exit 1 naming every path that is not there. Exactly one object in FILE.
 *   tool argmax FILE
 *     the index of the largest number of each row of a 2-D .npy of f4
 *   tool differ A B LIMIT
 *     the largest difference of two such files; exit 1 when it is above LIMIT
 *   tool scale A FACTOR B
 *     B.npy of f4: the numbers of A.npy of u1 times FACTOR */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, 1 << 24);
    *size = f && text ? fread(text, 1, (1 << 24) - 1, f) : 0;
    if (f)
        fclose(f);
    if (*size)
        return text;
    fprintf(stderr, "%s: nothing to read\n", path);
    exit(2);
}

static const cJSON *
find(const cJSON *at, const char *path)
{
    char part[256];
    while (at && *path) {
        size_t n = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)n, path);
        at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, atoi(part))
                               : cJSON_GetObjectItemCaseSensitive(at, part);
        path += n + (path[n] == '.');
    }
    return at;
}

static int
json(int n, char **path)
{
    size_t size;
    const char *end;
    char *text = slurp(path[0], &size);
    cJSON *root = cJSON_ParseWithOpts(text, &end, 1);
    int missing = 0;
    if (!cJSON_IsObject(root)) {
        fprintf(stderr, "%s: not one JSON object: %.200s\n", path[0], text);
        return 1;
    }
    for (int k = 1; k < n; k++) {
        const cJSON *item = find(root, path[k]);
        if (!item) {
            fprintf(stderr, "%s: there is no '%s'\n", path[0], path[k]);
            missing = 1;
        } else if (cJSON_IsArray(item)) {
            printf("%d\n", cJSON_GetArraySize(item));
        } else if (cJSON_IsString(item)) {
            puts(item->valuestring);
        } else if (cJSON_IsNumber(item)) {
            printf("%.17g\n", item->valuedouble);
        } else {
            puts(cJSON_IsObject(item)  ? "{}"
                 : cJSON_IsTrue(item)  ? "true"
                 : cJSON_IsFalse(item) ? "false"
                                       : "null");
        }
    }
    cJSON_Delete(root);
    free(text);
    return missing;
}

struct rows {
    long n, width;
    const float *v;
};

/* The header of .npy version 1: "NUMPY", versions, u16 length, a Python dictionary. */
static struct rows
npy(const char *path)
{
    struct rows r = {0};
    size_t size;
    char *text = slurp(path, &size), *shape = size > 128 ? strstr(text + 10, "'shape': (") : NULL;
    if (!shape || !strstr(text + 10, "'<f4'") ||
        sscanf(shape, "'shape': (%ld, %ld", &r.n, &r.width) != 2 ||
        size - 10 - (uint8_t)text[8] - 256u * (uint8_t)text[9] != (size_t)(r.n * r.width) * 4) {
        fprintf(stderr, "%s: not a 2-D .npy of f4\n", path);
        exit(2);
    }
    r.v = (const float *)(const void *)(text + size - (size_t)(r.n * r.width) * 4);
    return r;
}

static int
scale(const char *from, float factor, const char *to)
{
    size_t size;
    char *text = slurp(from, &size), *type = strstr(text + 10, "|u1");
    size_t head = 10 + (size_t)(uint8_t)text[8] + ((size_t)(uint8_t)text[9] << 8);
    FILE *f = fopen(to, "wb");
    if (!type || !f || head > size)
        return 1;
    memcpy(type, "<f4", 3);
    int failed = fwrite(text, 1, head, f) != head;
    for (size_t k = head; k < size; k++) {
        float v = factor * (float)(uint8_t)text[k];
        failed |= fwrite(&v, sizeof v, 1, f) != 1;
    }
    return fclose(f) != 0 || failed;
}

int
main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "scale") == 0)
        return scale(argv[2], (float)atof(argv[3]), argv[4]);
    if (argc >= 3 && strcmp(argv[1], "json") == 0)
        return json(argc - 2, argv + 2);
    if (argc == 3 && strcmp(argv[1], "argmax") == 0) {
        struct rows r = npy(argv[2]);
        for (long k = 0; k < r.n; k++) {
            long best = 0;
            for (long i = 1; i < r.width; i++)
                if (r.v[k * r.width + i] > r.v[k * r.width + best])
                    best = i;
            printf("%ld\n", best);
        }
        return 0;
    }
    if (argc != 5 || strcmp(argv[1], "differ") != 0)
        return 2;
    struct rows a = npy(argv[2]), b = npy(argv[3]);
    double worst = 0;
    for (long k = 0; a.n == b.n && a.width == b.width && k < a.n * a.width; k++)
        if (!(fabs((double)a.v[k] - (double)b.v[k]) <= worst))
            worst = fabs((double)a.v[k] - (double)b.v[k]);
    printf("%g\n", worst);
    return !(a.n == b.n && a.width == b.width && worst <= atof(argv[4]));
}
