/* commands.c - the table: what roost can do, a row a command. */
#include "cli/cmd.h"

#include "cli/chat.h"
#include "cli/meet.h"
#include "cli/options_shared.h"

#define ACCOUNT "Account"
#define PEOPLE  "People"
#define TALK    "Talk"
#define ROOMS   "Rooms"
#define MEET    "Meetings"
#define FILES   "Files"
#define TOOLS   "Tools"
#define LAB     "Lab"
#define ADMIN   "Server (for admins)"

#define OPTIONS(...) ((const struct cli_option[]){ __VA_ARGS__, { NULL } })

/* clang-format off */
const struct cli_command cli_commands[] = {
    { "register", ACCOUNT, "NAME", 1, 1, -1, CLI_SERVER, true, cmd_register,
      "make an account and log in",
      "The password is asked for twice, or comes from ROOST_PASSWORD or --password-file.\n\n"
      "  roost -s hall.example register anna\n"
      "  roost -s hall.example register anna --invite K7Q2…\n",
      OPTIONS({ "invite", 0, "WORD", "the invitation that an admin gave you" }) },
    { "login", ACCOUNT, "[NAME]", 0, 1, -1, CLI_SERVER, true, cmd_login,
      "log in; later commands need no password",
      "The session is kept under the home, so it is there until logout. Several users can\n"
      "have one each: -u says which.\n\n"
      "  roost -s hall.example login anna\n"
      "  roost -u anna whoami\n", NULL },
    { "logout", ACCOUNT, "", 0, 0, -1, CLI_LOGIN, true, cmd_logout,
      "end this session", "  roost logout\n", NULL },
    { "whoami", ACCOUNT, "", 0, 0, -1, CLI_LOGIN, false, cmd_whoami,
      "say who is logged in, and where", "  roost whoami\n", NULL },
    { "passwd", ACCOUNT, "[NAME]", 0, 1, -1, CLI_SERVER, false, cmd_passwd,
      "change the password; other sessions end",
      "With --reset a forgotten password is replaced, by the word that an admin gave.\n\n"
      "  roost passwd\n"
      "  roost -s hall.example passwd anna --reset K7Q2…\n",
      OPTIONS({ "reset", 0, "WORD", "instead of the old password" }, NEW_PASSWORD) },
    { "sessions", ACCOUNT, "", 0, 0, -1, CLI_LOGIN, false, cmd_sessions,
      "list the devices where one is logged in", "  roost sessions\n  roost sessions end 12\n", NULL },
    { "sessions end", ACCOUNT, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_sessions_end,
      "log out one of them", "  roost sessions end 12\n", NULL },
    { "sessions bearer", ACCOUNT, "", 0, 0, -1, CLI_LOGIN, false, cmd_sessions_bearer,
      "print what opens files over HTTPS while this session lasts",
      "One line for curl, which is not to be seen on its command line; browsers and players take\n"
      "the long word as a password, with any name.\n\n"
      "  roost sessions bearer | curl -OJ -H @- https://hall.example:5000/files/7\n",
      NULL },
    { "account delete", ACCOUNT, "", 0, 0, -1, CLI_LOGIN, false, cmd_account_delete,
      "delete one's account and all it wrote", "  roost account delete\n", OPTIONS(YES) },

    { "who", PEOPLE, "", 0, 0, -1, CLI_LOGIN, false, cmd_who,
      "who is on: since when, idle, away, typing", "  roost who\n  roost --json who\n", NULL },
    { "ignore", PEOPLE, "USER", 1, 1, -1, CLI_LOGIN, false, cmd_ignore,
      "hide what somebody says", "  roost ignore bob\n  roost ignore bob --off\n",
      OPTIONS({ "off", 0, NULL, "hear them again" }) },
    { "away", PEOPLE, "[TEXT…]", 0, -1, 0, CLI_LOGIN, false, cmd_away,
      "say that one is away; without a text: back",
      "It is seen as long as a chat of yours is open, here or elsewhere.\n\n"
      "  roost away lunch, back at two\n  roost away\n",
      NULL },

    { "say", TALK, "TARGET TEXT…", 0, -1, 1, CLI_LOGIN, false, cmd_say,
      "say something to a room, a person or everyone",
      "TARGET is '#room', @user, or --everyone. Without TEXT it is read from standard input.\n"
      "A shell takes a bare # for a comment: quote it, or write the name of the room alone.\n"
      "Text that begins with a dash goes after --. The id of the message is printed.\n\n"
      "  roost say '#maths' who has the notes?\n"
      "  roost say @bob hello\n"
      "  roost say --everyone the door is open\n"
      "  git diff | roost say maths\n"
      "  roost say maths --reply 12:345 I have them\n",
      OPTIONS({ "everyone", 'e', NULL, "a broadcast to all who are on" },
              { "reply", 'r', "ID", "in answer to this message" },
              { "me", 0, NULL, "as an action: \"anna waves\"" }) },
    { "read", TALK, "[TARGET]", 0, 1, -1, CLI_LOGIN, false, cmd_read,
      "read what was said; without TARGET all that is unread",
      "TIME is \"10 minutes ago\", \"2h\", \"yesterday 14:00\", monday, 2026-03-01T14:00 and the like.\n"
      "WORDS are words, \"a phrase\" in quotes, or a beginning* with a star.\n\n"
      "  roost read\n"
      "  roost read '#maths' --last 20\n"
      "  roost read @bob --since 'yesterday 14:00'\n"
      "  roost read --search 'lecture note*'\n"
      "  roost --json read --follow\n",
      OPTIONS({ "since", 'S', "TIME", "from then on" },
              { "search", 0, "WORDS", "only what holds these words" },
              { "last", 'n', "N", "the last N (50)" },
              { "follow", 'f', NULL, "go on with what is said from now on" },
              { "everyone", 'e', NULL, "the broadcasts" },
              { "rooms", 'r', NULL, "without TARGET: rooms only" }) },
    { "edit", TALK, "ID TEXT…", 1, -1, 1, CLI_LOGIN, false, cmd_edit,
      "change what one said", "  roost edit 12:345 who has the new notes?\n", NULL },
    { "delete", TALK, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_delete,
      "take back what one said", "  roost delete 12:345\n", NULL },
    { "react", TALK, "ID EMOJI", 2, 2, -1, CLI_LOGIN, false, cmd_react,
      "put a sign on a message", "  roost react 12:345 👍\n  roost react 12:345 👍 --off\n",
      OPTIONS({ "off", 0, NULL, "take it back" }) },
    { "earlier", TALK, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_earlier,
      "what it said before it was changed (for moderators)", "  roost earlier 12:345\n", NULL },
    { "chat", TALK, "[TARGET]", 0, 1, -1, CLI_LOGIN, true, chat_main,
      "talk in the terminal",
      "A line that begins with / is a command; /help lists them, /quit leaves. Without a\n"
      "terminal, or with --json, lines are read from standard input.\n\n"
      "  roost chat\n  roost chat '#maths'\n",
      OPTIONS({ "classic", 0, NULL, "BCM ATU SRB SRM RDM UPD OUT are commands without a / too" }) },

    { "rooms", ROOMS, "", 0, 0, -1, CLI_LOGIN, false, cmd_rooms,
      "list the rooms, and what is unread in them", "  roost rooms\n  roost rooms --mine\n",
      OPTIONS({ "mine", 'm', NULL, "only those one is in" }) },
    { "room new", ROOMS, "NAME [USER…]", 1, -1, -1, CLI_LOGIN, false, cmd_room_new,
      "make a room, with members or alone",
      "  roost room new maths anna bob\n  roost room new exam --private --moderated\n",
      OPTIONS({ "private", 'p', NULL, "only members know that it exists" },
              { "moderated", 'm', NULL, "only moderators speak" },
              { "topic", 't', "TEXT", "what it is about" }) },
    { "room join", ROOMS, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_room_join,
      "come into a room", "  roost room join maths\n", NULL },
    { "room leave", ROOMS, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_room_leave,
      "leave a room", "  roost room leave maths\n", NULL },
    { "room close", ROOMS, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_room_close,
      "end a room; what was said stays readable",
      "Its name is free then; it is read by its number, which roost rooms shows.\n\n"
      "  roost room close maths\n  roost read 12\n",
      NULL },
    { "room invite", ROOMS, "NAME USER", 2, 2, -1, CLI_LOGIN, false, cmd_room_invite,
      "bring somebody into a room", "  roost room invite maths bob\n", NULL },
    { "room remove", ROOMS, "NAME USER", 2, 2, -1, CLI_LOGIN, false, cmd_room_remove,
      "put somebody out of a room", "  roost room remove maths bob\n", NULL },
    { "room ban", ROOMS, "NAME USER", 2, 2, -1, CLI_LOGIN, false, cmd_room_ban,
      "put somebody out and keep them out", "  roost room ban maths bob\n  roost room ban maths bob --lift\n",
      OPTIONS({ "lift", 0, NULL, "let them come again" }) },
    { "room role", ROOMS, "NAME USER ROLE", 3, 3, -1, CLI_LOGIN, false, cmd_room_role,
      "make somebody member, moderator or owner", "  roost room role maths bob moderator\n", NULL },
    { "room members", ROOMS, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_room_members,
      "who is in a room, and how far they have read", "  roost room members maths\n", NULL },
    { "room topic", ROOMS, "NAME TEXT…", 1, -1, 1, CLI_LOGIN, false, cmd_room_topic,
      "say what a room is about", "  roost room topic maths exercise 4, due Friday\n", NULL },
    { "room pin", ROOMS, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_room_pin,
      "pin a message to its room", "  roost room pin 12:345\n  roost room pin 12:345 --off\n",
      OPTIONS({ "off", 0, NULL, "take it down" }) },
    { "room mute", ROOMS, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_room_mute,
      "let a room not ring", "  roost room mute maths\n  roost room mute maths --off\n",
      OPTIONS({ "off", 0, NULL, "let it ring again" }) },
    { "room set", ROOMS, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_room_set,
      "make a room private or moderated; how long it keeps texts",
      "  roost room set maths --moderated on\n  roost room set maths --keep 30\n",
      OPTIONS({ "private", 'p', "on|off", "only members know that it exists" },
              { "moderated", 'm', "on|off", "only moderators speak" },
              { "keep", 'k', "DAYS", "texts are kept so many days, or forever" }) },

    { "meet new", MEET, "", 0, 0, -1, CLI_SERVER, true, cmd_meet_new,
      "make a meeting; prints its code and its link",
      "Who has the code waits in the lobby until a host lets them in. The link opens a page that\n"
      "explains how to join; with --open it opens the meeting too. TIME is \"tomorrow 14:00\",\n"
      "\"in 2 hours\", \"monday 9:30\", 2026-03-01T14:00 and the like. Where the server lets guests\n"
      "host, --name makes a meeting without an account: join it with the same --name.\n\n"
      "  roost meet new --title 'Exercise 4'\n"
      "  roost meet new --title Seminar --at 'tomorrow 14:00' --ics seminar.ics\n"
      "  roost meet new --room maths\n"
      "  roost -s hall.example meet new --name Ann --open\n",
      OPTIONS({ "title", 't', "TEXT", "what it is called" },
              { "open", 'o', NULL, "no lobby for accounts and for the link" },
              { "at", 'a', "TIME", "when it starts" },
              { "room", 'r', "NAME", "permanent: members of this room walk in" },
              { "name", 'n', "NAME", "as a guest of this name, without an account" },
              { "forget", 'f', NULL, "its chat goes when it ends" },
              { "unsealed", 0, NULL, "voices not end to end: the server could listen" },
              { "sealed", 0, NULL, "end to end, whatever the server's setting says" },
              { "ics", 'i', "FILE", "write an entry for calendars; - for standard output" },
              { "force", 0, NULL, "write over a file that is there" }) },
    { "meet join", MEET, "CODE|LINK", 1, 3, -1, CLI_SERVER, true, meet_main,
      "be in a meeting: people, hands, chat, host controls",
      "A line that begins with / is a command; /help lists them, /leave leaves. The server is that\n"
      "of the link, unless -s names one. Without a terminal, or with --json, lines are read from\n"
      "standard input, and its end leaves; roost-json(5) lists the events and commands. A place\n"
      "that was lost with the connection is taken again. Who is in with several devices and leaves\n"
      "on one of them leaves on all. Exit status: 0 when one leaves or the meeting ends, 1 when one\n"
      "is not let in or removed, 5 after too many wrong codes. With --for it stays for so long.\n\n"
      "  roost meet join 204816\n"
      "  roost meet join 'https://hall.example:5000/j/204816#K7Q2…' --name Ann\n"
      "  roost --json meet join 204816\n\n"
      "MIC is default, a device's name, tone[:HZ], file:F (again and again), once:F or none; SPEAKER\n"
      "is default, a device's name, file:F (a WAV) or null. With neither of them it uses the devices\n"
      "that there are, and goes on without sound if there are none. Everything is sealed end to end,\n"
      "unless it says otherwise; /verify shows the words to compare. --record writes everybody's\n"
      "voice, one track each, where the host allows it: all are told.\n\n"
      "  roost meet join 204816 --mic tone --speaker file:heard.wav --for 10\n"
      "  roost --link 'loss=5%' meet join 204816 --stats figures.jsonl\n",
      OPTIONS(GUEST_NAME, SOUND) },
    { "meet verify", MEET, "CODE|LINK", 1, 3, -1, CLI_SERVER, true, meet_verify_main,
      "the words that show that nobody listens in",
      "Comes in without a sound, shows the eight words and leaves. Everybody who takes part sees\n"
      "the same ones with /verify at that moment, unless somebody is in between; they are those of\n"
      "all devices that take part then, this one included.\n\n"
      "  roost meet verify 204816\n", OPTIONS(GUEST_NAME) },
    { "rehearse", MEET, "", 0, 0, -1, CLI_SERVER, true, rehearse_main,
      "a meeting with people in it who talk in turn, to try everything alone",
      "Makes a meeting and brings people into it (roost-crowd) who are guests and talk one after\n"
      "the other; you are its host. Then it is as roost meet join: /help lists what can be tried.\n"
      "It ends when you leave.\n\n"
      "  roost rehearse\n"
      "  roost rehearse --people 30 --speakers 8 --mic tone --speaker null\n"
      "  roost --link 'wifi loss=5%' rehearse --stats figures.jsonl\n",
      OPTIONS(GUEST_NAME, { "people", 'P', "N", "so many come (5)" },
              { "speakers", 'k', "N", "so many of them talk in turn (all)" },
              { "video", 0, "KBIT", "and send as much, as pictures would" },
              { "unsealed", 0, NULL, "not end to end: the server could listen" }, SOUND) },
    { "meet stats", MEET, "CODE|#N", 1, 3, -1, CLI_SERVER, true, cmd_meet_stats,
      "how everybody's network and sound do, and did",
      "For host and co-hosts, and admins of the server; #N is a meeting by its number, which can be\n"
      "asked for when it has ended too.\n\n"
      "  roost meet stats 204816\n  roost --json meet stats '#12'\n", OPTIONS(GUEST_NAME) },
    { "meet devices", MEET, "", 0, 0, -1, CLI_NOTHING, true, cmd_meet_devices,
      "list microphones and speakers",
      "Those of PipeWire or PulseAudio; their names go behind --mic and --speaker.\n\n"
      "  roost meet devices\n",
      NULL },
    { "meet compose", MEET, "RECORDING FILE", 2, 2, -1, CLI_NOTHING, true, cmd_meet_compose,
      "mix the tracks of a recording into one file",
      "Of what roost meet join --record wrote; a recording that was cut off too. FILE is .wav, .opus,\n"
      ".ogg, .webm or .mka. Says of each track how much of it there is, and what is missing.\n\n"
      "  roost meet compose seminar.webm seminar.opus\n",
      NULL },
    { "meet list", MEET, "", 0, 0, -1, CLI_LOGIN, false, cmd_meet_list,
      "list one's meetings", "  roost meet list\n", NULL },
    { "meet who", MEET, "CODE|#N", 1, 3, -1, CLI_SERVER, true, cmd_meet_who,
      "who is in a meeting, and who waits",
      "--all lists who was ever there, and when: for hosts. #N is a meeting by its number, which\n"
      "its first host can ask for when it has ended too.\n\n"
      "  roost meet who 204816\n  roost meet who '#12' --csv attendance.csv\n",
      OPTIONS({ "all", 'a', NULL, "who left too: the list of attendance" },
              { "csv", 'c', "FILE", "write that list as a table; - for standard output" },
              { "force", 0, NULL, "write over a file that is there" },
              GUEST_NAME) },
    { "meet host", MEET, "CODE ACTION [USER] [TEXT…]", 2, -1, -1, CLI_SERVER, true, cmd_meet_host,
      "one act of a host, in a meeting one is in elsewhere",
      "ACTION, on a USER: admit deny mute ask-unmute ask-video stop-video give-share spotlight\n"
      "  allow-record forbid-record remove ban unban make-host make-cohost drop-cohost\n"
      "  make-viewer make-participant lower-hand\n"
      "on all: admit-all deny-all mute-all mute-on-entry no-mute-on-entry lock-mic unlock-mic\n"
      "  take-share spotlight-off lock unlock open close keep-chat forget-chat take-back end\n"
      "  allow-share forbid-share allow-chat forbid-chat allow-notes forbid-notes\n"
      "  allow-rename forbid-rename\n"
      "with a TEXT: title TEXT, message [USER] TEXT (to the lobby), rename [USER] NAME\n"
      "A name or text with spaces stands in quotes. docs/ROLES.md says who may do what.\n\n"
      "  roost meet host 204816 admit 'Ann 2'\n"
      "  roost meet host 204816 message 'We begin at ten past.'\n"
      "  roost meet host 204816 end\n",
      OPTIONS(GUEST_NAME) },

    { "send", FILES, "FILE… TARGET", 0, -1, -1, CLI_LOGIN, false, cmd_send,
      "send files, folders, a stream or a text to a person or a room",
      "TARGET is @user or '#room'. Somebody who is on is asked, and it goes straight to them; what\n"
      "goes to a room is kept by the server. FILE may be - for what is piped in. When it was\n"
      "cut off, by whatever, the same command sends the rest, and only the rest.\n\n"
      "  roost send notes.pdf @bea\n"
      "  roost send photos/ talk.odp '#maths'\n"
      "  tar c src | roost send - --name src.tar @bea\n"
      "  roost send --text 'the door code is 4711' @bea\n"
      "  roost send --limit 5M --cc cubic film.mkv @carl\n"
      "  roost send --code notes.pdf         # no account: prints a phrase for roost receive\n"
      "  roost send --nearby photos          # no server: to who says roost receive --nearby\n",
      OPTIONS({ "code", 'c', NULL, "no TARGET: to whoever is told the phrase; no account is needed" },
              { "nearby", 'N', NULL, "no TARGET, no server: to a program on this network" },
              { "to", 0, "NAME", "with --nearby: to this one" },
              { "text", 't', "TEXT", "a text instead of files" },
              { "name", 'n', "NAME", "call it so" },
              { "limit", 'l', "RATE", "at most so fast: 5M is 5 Mbit/s, 600kB is 600 kB/s" },
              { "via", 0, "WAY", "only direct, relay or server" },
              { "cc", 0, "NAME", "congestion control: reno, cubic or bbr" }) },
    { "receive", FILES, "[PHRASE]", 0, 1, -1, CLI_LOGIN, true, cmd_receive,
      "wait for what people send, and take it",
      "Asks about each offer but those that accept --always speaks of, or takes all. What was\n"
      "accepted before and cut off goes on by itself. Files get their names when they are whole\n"
      "and verified; until then they are in .roost-parts beside. A text is shown, and written to a\n"
      "file with --dir or -o alone. With a PHRASE, from send --code, it takes what waits under it.\n"
      "With --nearby it is found by send --nearby on the same network, and ends after one.\n\n"
      "  roost receive\n"
      "  roost receive 4821-maple-orbit-tin\n"
      "  roost receive 4821-maple-orbit-tin -o - | tar x\n"
      "  roost receive --nearby --dir ~/Downloads\n"
      "  roost receive --nearby --from anna\n"
      "  roost receive --from bea --accept all --dir ~/Downloads --count 1\n",
      OPTIONS({ "from", 'f', "USER", "only from this person" },
              { "nearby", 'N', NULL, "without a server, from a program on this network" },
              { "name", 'n', "NAME", "with --nearby: be found under this name" },
              { "dir", 'd', "DIR", "where to (here)" },
              { "output", 'o', "PATH", "of one: a name or a folder; - for the standard output" },
              { "accept", 'a', "HOW", "ask, all, or always: what accept --always takes, no more" },
              { "count", 'c', "N", "end after so many" }) },
    { "get", FILES, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_get,
      "fetch a file that the server keeps",
      "ID is the number that files and chat show. An existing file is never written over.\n\n"
      "  roost get 17\n  roost get 17 -o lecture.pdf\n  roost get 17 -o - | tar x\n",
      OPTIONS({ "output", 'o', "PATH", "a name or a folder; - for the standard output" },
              { "limit", 'l', "RATE", "at most so fast" }) },
    { "files", FILES, "[TARGET]", 0, 1, -1, CLI_LOGIN, false, cmd_files,
      "list the files that are kept in a room, or in all of one's rooms",
      "  roost files\n  roost files '#maths'\n  roost --json files @bea\n", NULL },
    { "transfers", FILES, "", 0, 0, -1, CLI_LOGIN, false, cmd_transfers,
      "list what one sends or is offered, and is not over",
      "  roost transfers\n  roost transfers --watch\n",
      OPTIONS({ "watch", 'w', NULL, "again and again" }) },
    { "accept", FILES, "[ID]", 0, 1, -1, CLI_LOGIN, false, cmd_accept,
      "take what somebody offers, or all that somebody ever will",
      "What stands with --always is for this home and server, until --ask takes it back; it is taken\n"
      "where receive or chat runs, or in its --dir. A stream, whose size nobody knows, is taken\n"
      "unasked only if there is no --up-to. Without ID it is what is offered now.\n\n"
      "  roost accept\n  roost accept 17\n  roost accept 17 -o ~/Downloads\n"
      "  roost accept --always @bob --up-to 100MB --dir ~/Downloads\n"
      "  roost accept --list\n  roost accept --ask @bob\n",
      OPTIONS({ "output", 'o', "PATH", "a name or a folder; - for the standard output" },
              { "limit", 'l', "RATE", "at most so fast" },
              { "always", 0, "USER", "from now on take files of this person without a question" },
              { "up-to", 0, "SIZE", "with --always: of at most this size; 100MB" },
              { "dir", 'd', "DIR", "where to" },
              { "ask", 0, "USER", "ask about files of this person again" },
              { "list", 0, NULL, "whose files are taken without a question" }) },
    { "trust", FILES, "[USER FINGERPRINT]", 0, 2, -1, CLI_LOGIN, false, cmd_trust,
      "show, accept or forget the identities of people's devices",
      "A device proves its identity when files go from person to person. The first one of a person\n"
      "is noted; another one is refused, until it is accepted here. Compare by another way than\n"
      "this server: roost trust there shows its own.\n\n"
      "  roost trust\n  roost trust @bob 1f:07:…\n  roost trust --forget @bob\n",
      OPTIONS({ "forget", 0, NULL, "that person, or that one device" }) },
    { "decline", FILES, "[ID]", 0, 1, -1, CLI_LOGIN, false, cmd_decline,
      "refuse what somebody offers", "  roost decline 17\n", NULL },
    { "cancel", FILES, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_cancel,
      "end a transfer, from either side", "  roost cancel 17\n", NULL },
    { "pause", FILES, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_pause,
      "let a transfer stand still, from either side", "  roost pause 17\n", NULL },
    { "resume", FILES, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_resume,
      "let it go on", "  roost resume 17\n", NULL },
    { "play", FILES, "FILE|ID", 1, 1, -1, CLI_LOGIN, true, cmd_play,
      "play a film or music while it comes",
      "In mpv, else ffplay, which get it from a port of this machine; a seek fetches first what it\n"
      "needs. Nothing of it stays.\n\n"
      "  roost play 17\n  roost play 17 --player 'vlc --play-and-exit'\n  roost play film.mkv\n",
      OPTIONS({ "player", 'p', "CMD", "this program, with the address as its last word" }) },
    { "forget", FILES, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_forget,
      "have the server forget a file that it keeps, for all", "  roost forget 17\n", NULL },

    { "calc", TOOLS, "EXPR…", 1, -1, 0, CLI_LOGIN, false, cmd_calc,
      "let the server reckon with two integers of up to 1,000 digits",
      "The signs are + - * / %. Quote the expression: a shell knows * too.\n\n"
      "  roost calc '7 % 3'\n  roost calc '-7 / 2'\n", NULL },
    { "ping", TOOLS, "", 0, 0, -1, CLI_SERVER, false, cmd_ping,
      "measure how long the server takes to answer, and its datagrams",
      "Logged in, it also asks the way that datagrams take: UDP, or a tunnel where UDP is\n"
      "blocked. The last line counts what was lost of those.\n\n"
      "  roost ping\n  roost ping --count 10\n",
      OPTIONS({ "count", 'c', "N", "so many times (4)" },
              { "interval", 'i', "MS", "so many milliseconds between two (250)" },
              { "datagrams", 'd', NULL, "ask the way of datagrams alone, after the first" }) },
    { "discover", TOOLS, "", 0, 0, -1, CLI_NOTHING, false, cmd_discover,
      "look for servers nearby", "  roost discover\n  roost discover --wait 5\n",
      OPTIONS({ "wait", 'w', "SECONDS", "look so long (2 at most, less when found)" }) },
    { "help", TOOLS, "[COMMAND…]", 0, 3, -1, CLI_NOTHING, false, cmd_help,
      "explain a command", "  roost help\n  roost help room new\n", NULL },
    { "completion", NULL, "", 0, 0, -1, CLI_NOTHING, true, cmd_completion,
      "list commands for the completion of shells",
      "A line each: name, what it takes, its options, separated by tabs.\n", NULL },

    { "lab link", LAB, "", 0, 0, -1, CLI_NOTHING, true, cmd_lab_link,
      "a link that one can bend, between programs or network namespaces",
      "With --listen a proxy: UDP and TCP that come there go to --to. With --between packets of\n"
      "anybody, over a TUN device in each of two network namespaces (as root).\n"
      "SPEC is a name and settings, from left to right: lan wifi wan lossy sat bloat shallow\n"
      "policed mobile; rate=50M delay=25ms (one way: the round trip is twice that) rtt=50ms\n"
      "jitter=4ms loss=2% burst=2 queue=256K reorder=1% late=10ms dup=1% corrupt=1% codel=5ms\n"
      "interval=100ms police=20M/64K. Both ways are meant, or one: up.rate=5M, down.wifi.\n"
      "Lines of standard input bend it while it runs: more settings; show, counters, cut, mend,\n"
      "quit. At the end it tells its counters.\n\n"
      "  roost lab link --listen 127.0.0.1:6000 --to 127.0.0.1:5000 --link wifi\n"
      "  roost lab link --listen :6000 --to 192.0.2.7:5001 --link 'wan loss=2% up.rate=5M'\n"
      "  roost lab link --between left,right --link bloat\n"
      "  echo counters | roost --json lab link --listen :6000 --to 127.0.0.1:5001\n",
      OPTIONS({ "link", 'l', "SPEC", "how it is bent at first (not at all)" },
              { "listen", 0, "ADDR:PORT", "where programs come to; port 0: any" },
              { "to", 0, "ADDR:PORT", "where they are led" },
              { "only", 0, "udp|tcp", "one of both" },
              { "between", 0, "NS,NS", "two namespaces of ip-netns(8), or paths; - is this one" },
              { "addresses", 0, "IP,IP", "of the two devices (10.77.0.1,10.77.0.2), each in a /24" },
              { "seed", 0, "N", "the same losses again for the same packets" },
              { "every", 0, "MS", "tell the counters each so many milliseconds" }) },
    { "lab race", LAB, "", 0, 0, -1, CLI_NOTHING, true, cmd_lab_race,
      "watch congestion controls share one link",
      "Each flow is a whole session of ours that sends without end; all share a modelled link.\n"
      "On a terminal it is drawn as it goes: windows (and dotted: thresholds), rates, round\n"
      "trips, the queue, losses; q ends it. With --fast, --json or without a terminal the clock\n"
      "is a model too, and the end is there at once. The same --seed is the same race.\n"
      "--pacing: none sends all that the window allows at once; sleep waits after each packet,\n"
      "as programs do that know no better; bucket is a token bucket.\n\n"
      "  roost lab race\n"
      "  roost lab race --cc cubic,bbr --link 'wan queue=1M' --time 60 --svg race.svg\n"
      "  roost lab race --cc bbr --pacing none --link bloat\n"
      "  roost lab race --cc reno,reno --apart 10 --fast --csv race.csv\n",
      OPTIONS({ "cc", 0, "LIST", "the flows, one to ten (reno,cubic,bbr)" },
              { "link", 'l', "SPEC", "what they share, see roost lab link (wan)" },
              { "pacing", 0, "HOW", "none, sleep or bucket" },
              { "time", 0, "SECONDS", "how long (30)" },
              { "apart", 0, "SECONDS", "each starts so much after the one before (0)" },
              { "fast", 0, NULL, "do not wait for the clock" },
              { "seed", 0, "N", "another fate (1)" },
              { "csv", 0, "FILE", "all figures, twenty times a second" },
              { "svg", 0, "FILE", "the picture" }) },
    { "lab send", LAB, "FILE", 1, 1, -1, CLI_NOTHING, true, cmd_lab_send,
      "send bytes straight to another program, without a server",
      "The other side runs roost lab receive with the same word. FILE may be - for what is\n"
      "piped in. Everything is encrypted under fresh keys; who listens cannot try words.\n\n"
      "  roost lab send --to 192.0.2.7:5002 --word maple notes.pdf\n"
      "  tar c photos | roost lab send --to box.example:5002 --word maple -\n"
      "  roost lab send --to [2001:db8::7]:5002 --word maple --cc cubic --csv c.csv disk.img\n",
      OPTIONS({ "to", 't', "ADDRESS:PORT", "where the other side listens" }, TRANSFER) },
    { "lab receive", LAB, "", 0, 0, -1, CLI_NOTHING, true, cmd_lab_receive,
      "take bytes from roost lab send",
      "Waits for somebody who knows the word, takes one file, and ends. It appears under its\n"
      "name when it is whole and on the disk. Eight wrong words are answered at once, then one\n"
      "in two seconds, and after a hundred the program gives up.\n\n"
      "  roost lab receive --listen :5002 --word maple -o notes.pdf\n"
      "  roost lab receive --listen 192.0.2.7:5002 --word maple -o - | tar x\n",
      OPTIONS({ "listen", 'l', "[ADDRESS]:PORT", "where to wait" },
              { "output", 'o', "FILE", "where to; - for the standard output" }, TRANSFER) },

    { "lab transfer", LAB, "[FILE]", 0, 1, -1, CLI_NOTHING, true, cmd_lab_transfer,
      "the classic file transfer: in chunks, with an acknowledgement a chunk",
      "--window 1 is stop-and-wait, more is a sliding window. Over UDP what is not acknowledged\n"
      "in time goes again. The whole is compared by SHA-256 before it gets its name.\n\n"
      "  roost lab transfer --serve --udp --dir inbox\n"
      "  roost lab transfer --to 127.0.0.1:5005 --udp notes.pdf\n"
      "  roost lab transfer --to 127.0.0.1:5005 --udp --window 32 --link 'rtt=50ms loss=2%' notes.pdf\n",
      OPTIONS(SERVE, TCP_UDP,
              { "window", 'w', "N", "so many chunks may be under way, 1 to 256 (1)" },
              { "chunk", 0, "BYTES", "of each, 1 to 1400 (1000)" },
              { "dir", 'd', "DIR", "where files are stored (here)" },
              { "overwrite", 0, NULL, "a file of the same name is replaced" },
              { "count", 'c', "N", "end after so many files" }) },
    { "lab files", LAB, "[NAME…]", 0, -1, -1, CLI_NOTHING, true, cmd_lab_files,
      "the classic concurrent file server: who asks for a name gets the file",
      "Many clients at once: in one loop, or with a thread each. Without a NAME a client lists\n"
      "what is there. No name leads out of the folder, nor does a symbolic link. nc can ask too.\n\n"
      "  roost lab files --serve --dir public --model threads\n"
      "  roost lab files --to 127.0.0.1:5005\n"
      "  roost lab files --to 127.0.0.1:5005 notes.txt photos/cat.jpg --dir inbox\n"
      "  echo 'GET notes.txt' | nc -N 127.0.0.1 5005\n",
      OPTIONS(SERVE,
              { "dir", 'd', "DIR", "what is served; where files are stored (here)" },
              { "model", 'm', "MODEL", "threads or loop (loop)" },
              { "overwrite", 0, NULL, "a file of the same name is replaced" }) },
    { "lab calc", LAB, "[EXPR…]", 0, -1, -1, CLI_NOTHING, true, cmd_lab_calc,
      "the classic remote calculator: a line is asked, a line is answered",
      "With --serve it answers everybody; with --to it asks what it is given, or each line that\n"
      "is typed. Over UDP a question that is not answered goes again. nc can ask too.\n\n"
      "  roost lab calc --serve --listen :5005\n"
      "  roost lab calc --to 127.0.0.1:5005 '7 % 3'\n"
      "  roost lab calc --to 127.0.0.1:5005 --udp --trace --link 'delay=50ms loss=30%' '6 * 7'\n"
      "  echo '7 % 3' | nc -N 127.0.0.1 5005\n",
      OPTIONS(SERVE, TCP_UDP) },
    { "lab stream", LAB, "[FILE]", 0, 1, -1, CLI_NOTHING, true, cmd_lab_stream,
      "the classic media stream: in datagrams of random size, played while it comes",
      "The server sends FILE at a rate, in datagrams of 1000 to 2000 bytes. What is lost is\n"
      "counted and left out; with --reliable it is asked for again.\n\n"
      "  roost lab stream --serve film.mkv --rate 8M\n"
      "  roost lab stream --to 127.0.0.1:5005\n"
      "  roost lab stream --to 127.0.0.1:5005 --reliable -o film.mkv --link 'delay=40ms loss=3%'\n"
      "  roost lab stream --to 127.0.0.1:5005 --player 'ffplay -autoexit -'\n",
      OPTIONS(SERVE,
              { "rate", 'r', "BITS", "so much a second (20M)" },
              { "player", 'p', "CMD", "gets it on its standard input (mpv, else ffplay)" },
              { "output", 'o', "FILE", "where it is kept; without a player unless one is named" },
              { "reliable", 0, NULL, "what was lost is asked for again" }) },
    { "lab pair", LAB, "", 0, 0, -1, CLI_NOTHING, true, cmd_lab_pair,
      "the classic chat of two, by turns",
      "After a message one waits for the reply. Over UDP a message has at most 1000 characters,\n"
      "and goes again until it came. Ctrl+C says goodbye; the other side ends with its own.\n\n"
      "  roost lab pair --serve --udp\n"
      "  roost lab pair --to 127.0.0.1:5005 --udp --trace --link 'delay=50ms loss=30%'\n"
      "  nc 127.0.0.1 5005\n",
      OPTIONS(SERVE, TCP_UDP) },
    { "lab crowd", LAB, "", 0, 0, -1, CLI_NOTHING, true, cmd_lab_crowd,
      "the classic chat of many",
      "Lines go to all others. /who lists who is there, /bye goes. nc can join too.\n\n"
      "  roost lab crowd --serve --listen :5005\n"
      "  roost lab crowd --to 127.0.0.1:5005 --name ann\n"
      "  nc 127.0.0.1 5005\n",
      OPTIONS(SERVE, { "name", 'n', "NAME", "what one is called; else asked" }) },

    { "admin users", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_users,
      "list the accounts", "  roost admin users\n", NULL },
    { "admin user new", ADMIN, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_admin_user_new,
      "make an account", "  roost admin user new carl --role moderator\n",
      OPTIONS(ROLE, NEW_PASSWORD) },
    { "admin user passwd", ADMIN, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_admin_user_passwd,
      "give a word that replaces a forgotten password, once", "  roost admin user passwd carl\n", NULL },
    { "admin user role", ADMIN, "NAME ROLE", 2, 2, -1, CLI_LOGIN, false, cmd_admin_user_role,
      "make somebody user, moderator or admin", "  roost admin user role carl admin\n", NULL },
    { "admin user delete", ADMIN, "NAME", 1, 1, -1, CLI_LOGIN, false, cmd_admin_user_delete,
      "delete an account and all it wrote", "  roost admin user delete carl\n", OPTIONS(YES) },
    { "admin blocks", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_blocks,
      "list failed logins that are counted, and blocks", "  roost admin blocks\n", NULL },
    { "admin block", ADMIN, "[USER [TIME]]", 0, 2, -1, CLI_LOGIN, false, cmd_admin_block,
      "let nobody log in to an account for a while (1h); alone: admin blocks",
      "  roost admin block carl 2h\n", NULL },
    { "admin unblock", ADMIN, "[USER]", 0, 1, -1, CLI_LOGIN, false, cmd_admin_unblock,
      "lift the blocks of a name, or one by its key",
      "  roost admin unblock carl\n  roost admin unblock --key 0a1b…\n",
      OPTIONS({ "key", 'k', "KEY", "of one block, as admin blocks shows it" }) },
    { "admin sessions", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_sessions,
      "list all sessions", "  roost admin sessions\n", NULL },
    { "admin sessions end", ADMIN, "ID", 1, 1, -1, CLI_LOGIN, false, cmd_admin_sessions_end,
      "end a session", "  roost admin sessions end 12\n", NULL },
    { "admin rooms", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_rooms,
      "list all rooms", "  roost admin rooms\n", NULL },
    { "admin meetings", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_meetings,
      "list all meetings", "  roost admin meetings\n", NULL },
    { "admin invite", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_invite,
      "make an invitation, good for one registration",
      "  roost admin invite\n  roost admin invite --role admin\n", OPTIONS(ROLE) },
    { "admin log", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_log,
      "who did what to what, when, from where",
      "  roost admin log --since '1 hour ago'\n  roost admin log --user carl --kind login\n"
      "  roost --json admin log --follow\n",
      OPTIONS({ "since", 'S', "TIME", "from then on" },
              { "user", 0, "USER", "only what this user did" },
              { "kind", 'k', "KIND", "only this kind" },
              { "follow", 'f', NULL, "go on with what happens from now on" }) },
    { "admin export", ADMIN, "DIR", 1, 1, -1, CLI_LOGIN, false, cmd_admin_export,
      "write the classic log files",
      "users.log (who came and went), broadcasts.log, and room-NAME.log for each room; a line\n"
      "each: number; time; name; text.\n\n"
      "  roost admin export /tmp/logs\n", NULL },
    { "admin backup", ADMIN, "FILE", 1, 1, -1, CLI_LOGIN, false, cmd_admin_backup,
      "fetch a copy of all that the server holds, while it runs",
      "The file holds accounts, rooms, messages and the log, and the hashes of passwords: keep\n"
      "it as you keep those. The keys of the server are not in it (roostd(8) says which files\n"
      "to copy besides). It appears under its name when it is whole and checked.\n\n"
      "  roost admin backup monday.roost\n", OPTIONS({ "force", 0, NULL, "write over a file that is there" }) },
    { "admin restore", ADMIN, "FILE", 1, 1, -1, CLI_LOGIN, false, cmd_admin_restore,
      "put a backup in the place of all that the server holds",
      "The server checks the whole file first. Then all sessions end, also this one; what it\n"
      "held before stays beside it as roost.db.before-restore.\n\n"
      "  roost admin restore monday.roost\n", OPTIONS(YES) },
    { "admin check", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_check,
      "look whether the server's database and files are whole, while it runs", "  roost admin check\n", NULL },
    { "admin stats", ADMIN, "", 0, 0, -1, CLI_LOGIN, false, cmd_admin_stats,
      "figures of the server", "  roost admin stats\n  roost --json admin stats | jq .disk\n", NULL },
};
/* clang-format on */

const size_t cli_n_commands = sizeof cli_commands / sizeof *cli_commands;
