/* What the port has for browsers: routes, pages, figures, and how the store is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "server/health.h"
#include "server/metrics.h"
#include "server/pages.h"
#include "server/web.h"
#include "test.h"

static const char token[] = "a-long-and-secret-token";

static struct web_choice ask(const char *path, const struct web_visitor *v, const char *name,
                             const char *value)
{
    const struct http_header header = { name, value };
    const struct http_request q = {
        .path = path, .headers = &header, .n_headers = name ? 1 : 0, .keep_alive = true
    };

    return web_choose(&q, v);
}

static void every_route_leads_somewhere(void)
{
    const struct web_visitor near = { .loopback = true, .metrics_token = "" };

    CHECK(ask("/", &near, NULL, NULL).what == WEB_HOME);
    CHECK(ask("/healthz", &near, NULL, NULL).what == WEB_HEALTH);
    CHECK(ask("/metrics", &near, NULL, NULL).what == WEB_METRICS);
    struct web_choice c = ask("/j/123456", &near, NULL, NULL);
    CHECK(c.what == WEB_MEETING && !strcmp(c.code, "123456"));
    CHECK(ask("/j/123456789", &near, NULL, NULL).what == WEB_MEETING);
}

static void the_rest_is_not_found(void)
{
    static const char *const paths[] = {
        "",          "*",          "/x",     "//",       "/healthz/",
        "/metricsx", "/j",         "/j/",    "/j/12345", "/j/1234567890",
        "/j/12345a", "/j/123456/", "/j/%31", "/../",
    };
    const struct web_visitor near = { .loopback = true, .metrics_token = "" };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct web_choice c = ask(paths[i], &near, NULL, NULL);
        CHECK(c.what == WEB_REFUSED && c.status == 404);
    }
}

static void only_reading_is_understood(void)
{
    const struct web_visitor near = { .loopback = true, .metrics_token = "" };
    struct http_request q = { .path = "/", .method = HTTP_IS_OTHER, .too_large = true };
    struct web_choice c = web_choose(&q, &near);

    CHECK(c.what == WEB_REFUSED && c.status == 405 && strstr(c.extra, "Allow: GET, HEAD\r\n"));
    q.method = HTTP_IS_GET;
    CHECK(web_choose(&q, &near).status == 413);
    q.too_large = false;
    q.method = HTTP_IS_HEAD;
    CHECK(web_choose(&q, &near).what == WEB_HOME);
}

static unsigned metrics_for(bool loopback, const char *set, const char *name, const char *value)
{
    const struct web_visitor v = { .loopback = loopback, .metrics_token = set };
    struct web_choice c = ask("/metrics", &v, name, value);

    return c.what == WEB_METRICS ? 200 : c.status;
}

static void figures_are_for_this_machine_or_the_token(void)
{
    char bearer[64];

    snprintf(bearer, sizeof bearer, "bearer %s", token);
    CHECK(metrics_for(true, "", NULL, NULL) == 200);
    CHECK(metrics_for(false, "", NULL, NULL) == 403);
    CHECK(metrics_for(false, "", "Authorization", "Bearer ") == 403); /* no token is no token */
    CHECK(metrics_for(false, token, NULL, NULL) == 401);
    CHECK(metrics_for(false, token, "authorization", bearer) == 200);
    CHECK(metrics_for(true, token, "Authorization", bearer) == 200);
    CHECK(metrics_for(true, token, NULL, NULL) == 200);

    /* a wrong one is wrong from everywhere */
    bearer[strlen(bearer) - 1] ^= 1;
    CHECK(metrics_for(false, token, "Authorization", bearer) == 401);
    CHECK(metrics_for(true, token, "Authorization", bearer) == 401);
    bearer[strlen(bearer) - 1] = 0;
    CHECK(metrics_for(false, token, "Authorization", bearer) == 401);
    CHECK(metrics_for(false, token, "Authorization", "Basic YTpi") == 401);
    CHECK(metrics_for(false, token, "Authorization", token) == 401);

    /* a proxy here speaks for somebody elsewhere */
    CHECK(metrics_for(true, "", "X-Forwarded-For", "192.0.2.7") == 403);
    CHECK(metrics_for(true, token, "Forwarded", "for=192.0.2.7") == 401);
}

static bool shows(char *page, const char *text)
{
    bool ok = page && strstr(page, text);

    free(page);
    return ok;
}

static void a_title_is_text_and_nothing_else(void)
{
    const char *evil = "</h1><script>alert('x')</script>&\"";
    const char *safe =
        "<h1>&lt;/h1&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;</h1>";

    CHECK(shows(page_meeting("123456", MEETING_LIVE, evil), safe));
    CHECK(shows(page_meeting("123456", MEETING_LIVE, "Maths, 10b"), "<h1>Maths, 10b</h1>"));
    CHECK(shows(page_meeting("123456", MEETING_LIVE, ""), "<h1>A meeting</h1>"));
    CHECK(shows(page_meeting("123456", MEETING_UNSAID, "hidden"), "<h1>A meeting</h1>"));
    CHECK(shows(page_meeting("123456", MEETING_UNSAID, NULL), "<b>123456</b>"));
    CHECK(shows(page_meeting("123456", MEETING_UNKNOWN, "hidden"), "No such meeting"));
    CHECK(shows(page_home(), "roost -s"));
    char *page = page_meeting("123456", MEETING_UNKNOWN, "hidden");
    CHECK(page);
    CHECK(!strstr(page, "hidden<") && !strstr(page, "roost meet join 'LINK'"));
    free(page);
}

static void the_policy_names_two_digests(void)
{
    char policy[PAGES_POLICY_MAX];

    pages_policy(policy);
    CHECK(strstr(policy, "style-src 'sha256-") == policy);
    CHECK(strstr(policy, "; script-src 'sha256-"));
    CHECK(!strstr(policy, "unsafe"));
}

static bool has(const char *text, const char *line)
{
    const char *at = strstr(text, line);

    return at && at[strlen(line)] == '\n';
}

static void figures_are_what_was_counted(void)
{
    struct metrics m = { .cpu_us = 1500000,
                         .conns = 7,
                         .bytes_out = UINT64_MAX,
                         .uptime_us = 61000001,
                         .files_open = 5 };
    size_t len;

    m.answers[metrics_status(404)] = 3;
    m.answers[metrics_status(999)]++; /* counts as 503 */
    char *text = metrics_text(&m, &len);
    CHECK(text);
    CHECK(strlen(text) == len && text[len - 1] == '\n');
    CHECK(has(text, "process_cpu_seconds_total 1.500000"));
    CHECK(has(text, "roost_uptime_seconds 61.000001"));
    CHECK(has(text, "# TYPE roost_connections gauge\nroost_connections 7"));
    CHECK(has(text, "roost_sent_bytes_total 18446744073709551615"));
    CHECK(has(text, "# TYPE roost_files_open gauge\nroost_files_open 5"));
    CHECK(has(text, "# TYPE roost_files_kept_total counter\nroost_files_kept_total 0"));
    CHECK(has(text, "roost_http_answers_total{code=\"404\"} 3"));
    CHECK(has(text, "roost_http_answers_total{code=\"503\"} 1"));
    free(text);

    /* the longest numbers fit too */
    memset(&m, 0xff, sizeof m);
    text = metrics_text(&m, &len);
    CHECK(text);
    CHECK(strlen(text) == len && text[len - 1] == '\n');
    free(text);
}

static void one_probe_serves_all_who_ask_within_a_second(void)
{
    struct health h = { 0 };

    CHECK(!health_is_fresh(&h, 1000000));
    CHECK(health_wants_probe(&h));
    CHECK(!health_wants_probe(&h)); /* it is on its way */
    health_on_probed(&h, -ROOST_FULL, 5000000);
    CHECK(health_is_fresh(&h, 5000000) && h.err == -ROOST_FULL);
    CHECK(health_is_fresh(&h, 5000000 + HEALTH_FRESH_US - 1));
    CHECK(!health_is_fresh(&h, 5000000 + HEALTH_FRESH_US));
    CHECK(health_wants_probe(&h));
    health_on_probed(&h, 0, 7000000);
    CHECK(health_is_fresh(&h, 7000000) && !h.err);
}

TEST_MAIN({ "every_route_leads_somewhere", every_route_leads_somewhere },
          { "the_rest_is_not_found", the_rest_is_not_found },
          { "only_reading_is_understood", only_reading_is_understood },
          { "figures_are_for_this_machine_or_the_token",
            figures_are_for_this_machine_or_the_token },
          { "a_title_is_text_and_nothing_else", a_title_is_text_and_nothing_else },
          { "the_policy_names_two_digests", the_policy_names_two_digests },
          { "figures_are_what_was_counted", figures_are_what_was_counted },
          { "one_probe_serves_all_who_ask_within_a_second",
            one_probe_serves_all_who_ask_within_a_second })
