/* cli.h - the command line. The door of cli/. */
#ifndef OLAC_CLI_CLI_H
#define OLAC_CLI_CLI_H

/* Runs one command; 0, or 1 after errors (printed), or 2 when the command line itself is wrong. */
int cli_main(int argc, char **argv);

#endif
