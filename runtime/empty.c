/* empty.c - a room without files yet. */
typedef int ola_empty;
