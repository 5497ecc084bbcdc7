/* near.h - send and receive between two programs on one network, without a server. */
#pragma once

#include "cli/cmd.h"

/* Open a handle of their own; exit status. */
int near_send(struct cli *c, const struct cli_args *a);
int near_receive(struct cli *c, const struct cli_args *a);
