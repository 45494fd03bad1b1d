/* cli.h - the command line. The door of cli/. */
#ifndef OLAC_CLI_CLI_H
#define OLAC_CLI_CLI_H

/* Runs one command; 0, or 1 after errors (printed), or when --against finds a difference. */
int cli_main(int argc, char **argv);

#endif
