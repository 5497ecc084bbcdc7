/* err.h - every way in which something is refused or fails, in one list.
 *
 * A function returns 0 or the negative of a code below. The number and the
 * short name are part of the protocol (docs/PROTOCOL.md): never reuse one.
 * Each row has a sentence that says what is wrong and one that says what to do,
 * so there is no code that a user could see without an explanation.
 */
#pragma once

/* X(NAME, number, "short-name", "what is wrong", "what to do") */
#define ROOST_ERRORS(X)                                                                            \
    X(NOMEM, 1, "out-of-memory", "out of memory", "try again in a moment")                         \
    X(INVALID, 2, "invalid", "the request cannot be understood",                                   \
      "check its words; --help shows how it is written")                                           \
    X(MALFORMED, 3, "malformed", "the other side sent what is not this protocol",                  \
      "check that both are Roost, and of like versions")                                           \
    X(LIMIT, 4, "limit", "a limit was reached", "send less, or less often")                        \
    X(TIMEOUT, 5, "timeout", "the other side stopped answering",                                   \
      "check the network and try again")                                                           \
    X(IO, 6, "io", "reading or writing failed", "check the disk and the log of the server")        \
    X(CLOSED, 7, "closed", "the connection was closed", "connect again")                           \
    X(UNSUPPORTED, 8, "unsupported", "the server does not know this request",                      \
      "update the server or the client")                                                           \
    X(VERSION, 9, "version",                                                                       \
      "the program and the server have no version of the protocol in common",                      \
      "update the older of the two")                                                               \
    X(NOT_STORED, 10, "not-stored", "it could not be stored", "try again in a moment")             \
    X(CONFLICT, 11, "conflict", "this request id was used for another request",                    \
      "use a fresh id for each request")                                                           \
    X(STALE_OWNER, 12, "stale-owner", "another server looks after this now", "connect again")      \
    X(FULL, 13, "full", "the server's disk is full", "ask the admin to make room")                 \
    X(BUSY, 14, "busy", "the server is busy", "try again in a moment")                             \
    X(TOO_FAST, 15, "too-fast", "too many messages in a short time", "wait a little, then go on")  \
    X(TOO_LONG, 16, "too-long", "the text is too long", "shorten it, or send it as a file")        \
    X(BAD_TEXT, 17, "bad-text", "the text is empty, or is not UTF-8", "write some text")           \
    X(LOGIN_NEEDED, 20, "login-needed", "log in first", "roost login NAME")                        \
    X(LOGIN_WRONG, 21, "login-wrong", "name or password is wrong", "check both and try again")     \
    X(BLOCKED, 22, "blocked", "too many failed logins", "wait until the block is over")            \
    X(SESSION_OVER, 23, "session-over", "this session has ended", "log in again")                  \
    X(NAME_TAKEN, 24, "name-taken", "this name, or one that looks like it, is taken",              \
      "choose another name")                                                                       \
    X(NAME_BAD, 25, "name-bad", "this name cannot be used",                                        \
      "use 1 to 32 letters, digits, '-', '_' or '.'")                                              \
    X(PASSWORD_WEAK, 26, "password-weak", "the password is too short or too long",                 \
      "use 8 to 256 bytes")                                                                        \
    X(INVITE_NEEDED, 27, "invite-needed", "registration here needs an invitation",                 \
      "ask an admin for an invitation")                                                            \
    X(INVITE_BAD, 28, "invite-bad", "this invitation or reset is not valid, is over, or was used", \
      "ask an admin for a new one")                                                                \
    X(REGISTRATION_CLOSED, 29, "registration-closed", "only an admin makes accounts here",         \
      "ask an admin for an account")                                                               \
    X(NOT_ALLOWED, 30, "not-allowed", "you may not do this", "ask somebody with the right to")     \
    X(NO_SUCH_USER, 31, "no-such-user", "nobody has this name", "roost who shows who is on")       \
    X(NO_SUCH_ROOM, 32, "no-such-room", "there is no such room, or it is private",                 \
      "roost rooms lists the rooms")                                                               \
    X(NO_SUCH_MESSAGE, 33, "no-such-message", "there is no such message",                          \
      "roost read shows the ids")                                                                  \
    X(NOT_MEMBER, 34, "not-member", "you are not a member of this room", "roost room join NAME")   \
    X(BANNED, 35, "banned", "you are banned from this room", "ask a moderator of the room")        \
    X(ALREADY, 36, "already", "this is so already", "nothing needs to be done")                    \
    X(ROOM_CLOSED, 37, "room-closed", "the room is closed", "use another room")                    \
    X(MODERATED, 38, "moderated", "only moderators may speak in this room",                        \
      "ask a moderator to speak for you, or for the role")                                         \
    X(LAST_OWNER, 39, "last-owner", "the last owner of a room cannot go",                          \
      "make somebody else owner first, or close the room")                                         \
    X(LAST_ADMIN, 40, "last-admin", "the last admin cannot go", "make somebody else admin first")  \
    X(NO_SUCH_SESSION, 41, "no-such-session", "there is no such session",                          \
      "roost sessions lists them")                                                                 \
    X(BAD_NUMBER, 42, "bad-number", "this is no calculation of two integers",                      \
      "write for example: 7 % 3")                                                                  \
    X(DIVISION_BY_ZERO, 43, "division-by-zero", "division by zero has no result",                  \
      "use another divisor")                                                                       \
    X(NUMBER_TOO_LONG, 44, "number-too-long", "a number has more than 1000 digits",                \
      "use shorter numbers")                                                                       \
    X(NO_SUCH_EMOJI, 45, "bad-emoji", "this is no reaction", "use one emoji or a short word")      \
    X(SHUTTING_DOWN, 46, "shutting-down", "the server is going down",                              \
      "the client connects again by itself")                                                       \
    X(ACCOUNT_GONE, 47, "account-gone", "this account was deleted",                                \
      "register again under another name")                                                         \
    X(UNTRUSTED, 48, "untrusted", "the certificate of the server was not accepted",                \
      "compare its fingerprint with the one that the server shows")                                \
    X(SELF, 49, "oneself", "this cannot be done with oneself",                                     \
      "name somebody else; for notes, make a private room of your own")                            \
    X(WORK_GOING, 50, "work-going", "another backup, check or restore is going on",                \
      "wait until it is over; one that nobody asks about ends after a minute")                     \
    X(NO_SUCH_MEETING, 60, "no-such-meeting", "no meeting has this code now",                      \
      "check the code, or ask the host for the link")                                              \
    X(CODE_TAKEN, 61, "code-taken", "another meeting has this code", "try again")                  \
    X(GUESSES, 62, "guesses", "too many wrong codes were tried from your address or account",      \
      "use the link of the meeting, log in, or wait")                                              \
    X(MEET_LOCKED, 63, "meeting-locked", "the meeting is locked: nobody new comes in",             \
      "ask somebody inside to have it unlocked")                                                   \
    X(MEET_FULL, 64, "meeting-full", "the meeting, or its lobby, is full", "try again later")      \
    X(MEET_ENDED, 65, "meeting-ended", "the meeting has ended", "ask the host for a new one")      \
    X(NOT_IN_MEETING, 66, "not-in-meeting", "that person, or you, is not in the meeting",          \
      "roost meet who CODE shows who is")                                                          \
    X(DENIED, 67, "denied", "the host did not let you in", "ask the host, then try again")         \
    X(GUEST, 68, "guest", "a guest may not do this", "make an account, and log in")                \
    X(SUCCESSOR, 69, "successor", "who has just become host may not do this yet",                  \
      "wait until the first host has had the time to come back")                                   \
    X(NO_GUESTS, 70, "no-guests", "meetings are started by accounts here",                         \
      "make an account, and log in")                                                               \
    X(MEET_BANNED, 71, "meeting-banned", "you were banned from this meeting", "ask its host")      \
    X(PRESENTING, 72, "presenting", "somebody else presents",                                      \
      "ask for it (/wantshare); a host may give it to you")                                        \
    X(TOO_FAR, 73, "too-far", "a meeting cannot be planned for more than two years ahead",         \
      "choose an earlier time, or make it later")                                                  \
    X(NO_SUCH_FILE, 80, "no-such-file", "there is no such file, or it is gone",                    \
      "roost files lists them")                                                                    \
    X(FILES_OFF, 81, "files-off", "the server takes no files of this kind",                        \
      "ask the admin; people on one network can use --nearby")                                     \
    X(QUOTA, 82, "quota", "the quota for files is used up",                                        \
      "forget files that nobody needs any more, or ask the admin")                                 \
    X(FILE_TOO_BIG, 83, "file-too-big", "the file is larger than this server keeps",               \
      "send it to somebody who is on, or ask the admin")                                           \
    X(FILE_RESERVE, 84, "file-reserve", "the server's disk has no room for files",                 \
      "ask the admin to make room")                                                                \
    X(AWAY, 85, "away", "that person is not on, and the server keeps no files for them",           \
      "try again when they are on")                                                                \
    X(FILE_OVER, 86, "file-over", "this transfer is over", "offer it again")                       \
    X(NO_SUCH_CODE, 87, "no-such-code", "nobody sends under this number now",                      \
      "check the phrase, and that the sender still waits")                                         \
    X(CODE_BUSY, 88, "code-busy", "somebody else tries this phrase just now",                      \
      "ask the sender for another")                                                                \
    X(NOBODY_THERE, 89, "nobody-there", "the other end is not there",                              \
      "wait until it is; what arrived is kept")                                                    \
    X(STRANGER, 90, "stranger", "this is not the device of that person that is known here",        \
      "ask them what roost trust shows there; if it is theirs: roost trust @NAME FINGERPRINT")     \
    X(TRANSFERS, 91, "transfers", "the server carries as many files as it may at one time",        \
      "it goes on by itself when another one is over")                                             \
    X(TRANSFERS_OWN, 92, "transfers-own", "as many of your files travel as may at one time",       \
      "it goes on by itself when one of them is over; roost cancel ID ends one")                   \
    X(SOURCE_CHANGED, 95, "source-changed", "what is sent was changed meanwhile",                  \
      "send it again; a part of what it was before has to go first")                               \
    X(DISK_FULL, 96, "disk-full", "the disk of the receiver is full",                              \
      "make room and go on: what arrived is kept")                                                 \
    X(CANCELLED, 97, "cancelled", "the transfer was cancelled", "send it again")                   \
    X(UNREADABLE, 98, "unreadable", "the sender could not read it", "check it, and send it again")

enum roost_err {
#define X(name, number, id, text, advice) ROOST_##name = number,
    ROOST_ERRORS(X)
#undef X
};

/* Each takes a code with either sign; unknown codes get a sentence too. */
const char *err_name(int err);   /* "not-member" */
const char *err_text(int err);   /* what is wrong */
const char *err_advice(int err); /* what to do */

/* The code of a short name; 0 if there is none. */
int err_by_name(const char *name);
