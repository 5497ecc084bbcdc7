/* pages.h - the HTML that the server shows to a browser.
 *
 * Each page is whole in itself: its style and its few lines of script stand in it, and
 * pages_policy names their digests, so nothing else runs. A meeting's secret stands
 * behind the # of the address: it stays in the browser, where the script completes the
 * command with it, if it looks like one of ours. Heap strings; NULL: out of memory.
 */
#pragma once

enum meeting_shown {
    MEETING_UNSAID,  /* nobody is told now: the code alone is shown */
    MEETING_LIVE,    /* its title too */
    MEETING_UNKNOWN, /* there is none with this code */
};

char *page_home(void);
/* code: digits. title: any UTF-8, for MEETING_LIVE; NULL or "": it has none. */
char *page_meeting(const char *code, enum meeting_shown what, const char *title);

enum { PAGES_POLICY_MAX = 192 };
/* For the header Content-Security-Policy, beside default-src 'none'. */
void pages_policy(char ret[static PAGES_POLICY_MAX]);
