/* get ID: fetch what the server keeps */
#include "cli/filing.h"

CLI_RUN(cmd_get)
{
    return filing_get(c, a);
}
