/* No message of the schema is without a handler, and none without its word in the log. */
#include <string.h>

#include "hub/internal.h"
#include "test.h"

static void every_message_has_its_row(void)
{
    const ProtobufCMessageDescriptor *d = &roost__to_server__descriptor;
    size_t n = 0;

    for (unsigned i = 0; i < d->n_fields; i++) {
        Roost__ToServer m = ROOST__TO_SERVER__INIT;
        if (!(d->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
            continue;
        m.body_case = (Roost__ToServer__BodyCase)d->fields[i].id;
        const struct rule *rule = rule_of(&m);
        CHECK(rule && rule->on_message && rule->kind && *rule->kind);
        CHECK(strcmp(rule->kind, d->fields[i].name) == 0);
        n++;
    }
    CHECK(n > 50);
}

static void what_is_not_in_the_schema_has_none(void)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    CHECK(!rule_of(&m));
    m.body_case = (Roost__ToServer__BodyCase)5000;
    CHECK(!rule_of(&m));
}

TEST_MAIN({ "every_message_has_its_row", every_message_has_its_row },
          { "what_is_not_in_the_schema_has_none", what_is_not_in_the_schema_has_none })
