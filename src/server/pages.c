#include "server/pages.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seal/digest.h"

/* The colours are the browser's own, light or dark as its user likes it. */
static const char style[] =
    ":root{color-scheme:light dark;font:1.05rem/1.5 system-ui,sans-serif}"
    "body{margin:0;background:Canvas;color:CanvasText}"
    "main{max-width:36rem;margin:0 auto;padding:1.5rem 1.25rem}"
    "h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}"
    "h2{font-size:1.1rem;margin:1.75rem 0 .5rem}"
    ".brand,.note{opacity:.75}"
    ".code{font-size:1.25rem}"
    ".code b{letter-spacing:.12em}"
    "pre{margin:.5rem 0;padding:.75rem;border:1px solid GrayText;border-radius:.4rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere;font-size:.95rem}"
    "a{color:LinkText}"
    "button,.open{display:inline-block;font:inherit;padding:.4rem 1rem;margin:.25rem .5rem .25rem "
    "0;"
    "border:1px solid ButtonBorder;border-radius:.4rem;background:ButtonFace;color:ButtonText;"
    "text-decoration:none;cursor:pointer}"
    "[hidden]{display:none}";

/* The command is to be copied into a shell: only what can do no harm there is put
 * into it, whatever stands in the address. */
static const char script[] =
    "(function(){"
    "var at=function(id){return document.getElementById(id)},"
    "show=function(id){if(at(id))at(id).hidden=false},"
    "host=location.hostname+':'+(location.port||443),"
    "base=/^https:\\/\\/[\\w.:[\\]-]+\\/j\\/(\\d+)$/.exec(location.origin+location.pathname),"
    "secret=/^#[\\w-]{16,63}$/.test(location.hash)?location.hash:'';"
    "if(/^[\\w.:[\\]-]+$/.test(host))"
    "document.querySelectorAll('.host').forEach(function(e){e.textContent=host});"
    "if(!at('command')||!base)return;"
    "if(location.hash&&!secret)show('damaged');"
    "at('command').textContent=\"roost meet join '\"+base[0]+secret+\"'\";"
    "at('open').href='roost://'+host+'/j/'+base[1]+secret;"
    "show('open');"
    "if(!navigator.clipboard)return;"
    "at('copy').onclick=function(){"
    "navigator.clipboard.writeText(at('command').textContent)"
    ".then(function(){at('copy').textContent='Copied'})};"
    "show('copy')"
    "})()";

#define HEAD                                                                                       \
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"                      \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"                   \
    "<meta name=\"robots\" content=\"noindex\">\n"                                                 \
    "<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<p "                           \
    "class=\"brand\">Roost</p>\n"
#define FOOT "</main>\n<script>%s</script>\n</body>\n</html>\n"

static const char home[] = HEAD
    "<h1>This is a Roost server</h1>\n"
    "<p>Meetings, messages and files on one small server that its users own.</p>\n"
    "<h2>Join from a terminal</h2>\n"
    "<pre>roost -s <span class=\"host\">HOST:PORT</span> register NAME\n"
    "roost -s <span class=\"host\">HOST:PORT</span> chat</pre>\n"
    "<noscript><p class=\"note\">HOST:PORT is what stands in the address line of your browser.</p>"
    "</noscript>\n"
    "<h2>Join a meeting</h2>\n"
    "<p>Open the link that you were sent, or give it to Roost:</p>\n"
    "<pre>roost meet join 'LINK'</pre>\n" FOOT;

static const char meeting[] = HEAD
    "<h1>%s</h1>\n"
    "<p class=\"code\">Code <b>%s</b></p>\n"
    "<p id=\"damaged\" hidden><strong>This link is damaged.</strong> Ask for it again, or join with"
    " the code.</p>\n"
    "<h2>Join from a terminal</h2>\n"
    "<pre id=\"command\">roost meet join 'LINK'</pre>\n"
    "<p><button id=\"copy\" type=\"button\" hidden>Copy</button>"
    "<a id=\"open\" class=\"open\" hidden>Open in Roost</a></p>\n"
    "<noscript><p>LINK is the whole address of this page, with what stands behind the"
    " #.</p></noscript>\n"
    "<p class=\"note\">No account is needed where guests are welcome: add <code>--name"
    " YOURNAME</code>. What stands behind the # of the address is the secret of the link. Your"
    " browser keeps it to itself; who has it may come in.</p>\n" FOOT;

static const char unknown[] = HEAD
    "<h1>No such meeting</h1>\n"
    "<p>There is no meeting with the code <b>%s</b> now. It may be over, or the code may be"
    " mistyped: ask who invited you.</p>\n" FOOT;

/* --- text -------------------------------------------------------------------------- */

static const char *entity_of(char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    }
    return NULL;
}

/* A heap copy that is text in HTML, wherever it stands. */
static char *escape(const char *text)
{
    char *out = malloc(strlen(text) * 6 + 1), *p = out;

    for (; out && *text; text++) {
        const char *entity = entity_of(*text);

        if (entity)
            p = stpcpy(p, entity);
        else
            *p++ = *text;
    }
    if (out)
        *p = 0;
    return out;
}

char *page_home(void)
{
    char *out = NULL;

    return asprintf(&out, home, "Roost", style, script) < 0 ? NULL : out;
}

static char *page_of_meeting(const char *code, const char *title)
{
    char *safe = escape(title), *out = NULL;

    if (!safe || asprintf(&out, meeting, safe, style, safe, code, script) < 0)
        out = NULL;
    free(safe);
    return out;
}

char *page_meeting(const char *code, enum meeting_shown what, const char *title)
{
    char *out = NULL;

    if (what != MEETING_UNKNOWN)
        return page_of_meeting(code, what == MEETING_LIVE && title && *title ? title : "A meeting");
    return asprintf(&out, unknown, "No such meeting", style, code, script) < 0 ? NULL : out;
}

/* --- the policy ------------------------------------------------------------------------ */

enum { HASH_TEXT_MAX = 64 };

static void hash(const char *text, char ret[static HASH_TEXT_MAX])
{
    uint8_t digest[32] = { 0 };

    seal_sha256(digest, &(struct seal_part){ text, strlen(text) }, 1);
    EVP_EncodeBlock((unsigned char *)ret, digest, sizeof digest);
}

void pages_policy(char ret[static PAGES_POLICY_MAX])
{
    char of_style[HASH_TEXT_MAX], of_script[HASH_TEXT_MAX];

    hash(style, of_style);
    hash(script, of_script);
    snprintf(ret, PAGES_POLICY_MAX, "style-src 'sha256-%s'; script-src 'sha256-%s'", of_style,
             of_script);
}
