/* magic.c - whose files these are. */
#include "file/file.h"

uint32_t
ola_file_magic(void)
{
    return OLA_FILE_REAL;
}
