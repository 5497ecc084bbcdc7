/* get ID, accept ID: fetch what the server keeps, take what is offered */
#include "cli/filing.h"
#include "cli/moving.h"

static int get(struct cli *c, const struct cli_args *a)
{
    struct filing_get g;
    struct moving m;
    int status = filing_get_read(c, a, &g);

    moving_init(&m, c);
    moving_catch();
    m.to_stdout = g.what.stream;
    if (!status && moving_add(&m, roost_file_get(c->r, &g.what), g.what.dir ? g.what.dir : "."))
        status = moving_wait(&m, NULL, NULL);
    filing_get_fini(&g);
    return status ? status : m.status;
}

CLI_RUN(cmd_get)
{
    return get(c, a);
}

CLI_RUN(cmd_accept)
{
    return get(c, a);
}
