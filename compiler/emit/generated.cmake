# The files of templates/ as C strings, built into the compiler. Sets EMIT_GENERATED.
set(EMIT_GENERATED)
