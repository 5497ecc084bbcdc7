# bash completion for roost: commands and options from `roost completion`; names of
# people and rooms from the server, when one is logged in.

# The options that say which server and user, for asking it.
_roost_globals() {
    local i
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -s | -u | --server | --user | --home)
            [[ -n ${words[i + 1]} ]] && printf '%s\n' "${words[i]}" "${words[i + 1]}"
            ((i++))
            ;;
        --server=* | --user=* | --home=*) printf '%s\n' "${words[i]}" ;;
        esac
    done
}

# The values of a key in what `roost --json COMMAND` prints; nothing if it fails.
_roost_ask() {
    local -a globals
    mapfile -t globals < <(_roost_globals)
    timeout 2 "${words[0]}" "${globals[@]}" --json "${@:2}" </dev/null 2>/dev/null |
        sed -n "/\"event\": \"error\"/d; s/.*\"$1\": \"\([^\"\\\\]*\)\".*/\1/p"
}

_roost_rooms() {
    local -a globals
    mapfile -t globals < <(_roost_globals)
    timeout 2 "${words[0]}" "${globals[@]}" --json rooms </dev/null 2>/dev/null |
        sed -n '/"closed": true/d; s/.*"kind": "room", "name": "\([^"\\]*\)".*/\1/p'
}

_roost_codes() {
    local -a globals
    mapfile -t globals < <(_roost_globals)
    timeout 2 "${words[0]}" "${globals[@]}" --json meet list </dev/null 2>/dev/null |
        sed -n 's/.*"code": "\([0-9]*\)".*/\1/p'
}

# Numbers of files: of what is kept, or of what is under way.
_roost_file_ids() {
    local -a globals
    mapfile -t globals < <(_roost_globals)
    local list=transfers
    [[ $1 == get || $1 == forget ]] && list=files
    timeout 2 "${words[0]}" "${globals[@]}" --json $list </dev/null 2>/dev/null |
        sed -n 's/.*"event": "file", "file": \([0-9]*\).*/\1/p'
}

# What a link is made of.
_roost_links='lan wifi wan lossy sat bloat shallow policed mobile rate= delay= rtt= jitter= loss=
    burst= queue= reorder= late= dup= corrupt= codel= interval= police='

_roost() {
    local cur prev words cword table name='' line takes='' options='' i word rest
    COMPREPLY=()
    words=("${COMP_WORDS[@]}")
    cword=$COMP_CWORD
    cur=${words[cword]}
    prev=${words[cword - 1]}

    case $prev in
    --home | --password-file | --new-password-file | --ics | --csv | --svg | --trace | --pcap | --key-log | --output)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    -s | --server)
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
        return
        ;;
    --model)
        mapfile -t COMPREPLY < <(compgen -W 'threads loop' -- "$cur")
        return
        ;;
    --player)
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
        return
        ;;
    --link)
        mapfile -t COMPREPLY < <(compgen -W "$_roost_links" -- "$cur")
        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
        ;;
    --between)
        mapfile -t COMPREPLY < <(compgen -W "$(cd /run/netns 2>/dev/null && ls)" -- "$cur")
        return
        ;;
    --cc)
        mapfile -t COMPREPLY < <(compgen -W 'reno cubic bbr' -- "$cur")
        return
        ;;
    --pacing)
        mapfile -t COMPREPLY < <(compgen -W 'none sleep bucket' -- "$cur")
        return
        ;;
    --via)
        mapfile -t COMPREPLY < <(compgen -W 'direct relay server' -- "$cur")
        return
        ;;
    --accept)
        mapfile -t COMPREPLY < <(compgen -W 'ask all always' -- "$cur")
        return
        ;;
    --dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --from | --always | --ask)
        mapfile -t COMPREPLY < <(compgen -W "$(_roost_ask name who)" -- "$cur")
        return
        ;;
    --only)
        mapfile -t COMPREPLY < <(compgen -W 'udp tcp' -- "$cur")
        return
        ;;
    --role)
        mapfile -t COMPREPLY < <(compgen -W 'user moderator admin' -- "$cur")
        return
        ;;
    --private | --moderated)
        [[ " ${words[*]} " == *' set '* ]] &&
            mapfile -t COMPREPLY < <(compgen -W 'on off' -- "$cur") && return
        ;;
    esac

    # A tab would be swallowed where a field is empty.
    table=$("${words[0]}" completion 2>/dev/null | tr '\t' '\037') || return
    # The name is the longest row that the words so far begin with.
    local -a said=()
    for ((i = 1; i < cword; i++)); do
        word=${words[i]}
        case $word in
        -s | -u | --server | --user | --home | --password-file | --accept-certificate | --pcap | --key-log | --link) ((i++)) ;;
        -*) ;;
        *) said+=("$word") ;;
        esac
    done
    local joined="${said[*]} "
    while IFS=$'\037' read -r line takes_ options_; do
        if [[ -n $line && $joined == "$line "* && ${#line} -gt ${#name} ]]; then
            name=$line takes=$takes_ options=$options_
        fi
    done <<<"$table"

    if [[ $cur == -* ]]; then
        rest=$(tail -n 1 <<<"$table")
        mapfile -t COMPREPLY < <(compgen -W "$options ${rest//$'\037'/}" -- "$cur")
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
    fi

    # Words that go on with a name: "room" -> new, join, ...
    local next
    next=$(while IFS=$'\037' read -r line _; do
        if [[ -n $line && -z ${said[*]} ]]; then
            printf '%s\n' "${line%% *}"
        elif [[ $line == "${said[*]} "* ]]; then
            line=${line#"${said[*]} "}
            printf '%s\n' "${line%% *}"
        fi
    done <<<"$table" | sort -u)
    mapfile -t COMPREPLY < <(compgen -W "$next" -- "$cur")
    [[ -z $name ]] && return

    # Which of the words it takes is this one?
    local -a kinds of_name
    read -ra kinds <<<"$takes"
    read -ra of_name <<<"$name"
    local kind=${kinds[${#said[@]} - ${#of_name[@]}]}
    [[ $name == 'room '* && $kind == *NAME* ]] && kind=ROOM
    [[ $name == 'room new' ]] && [[ $kind == ROOM ]] && return
    [[ $name == 'room new' ]] && kind=USER
    [[ $name == 'admin user '* && $kind == NAME ]] && kind=USER
    [[ $prev == --room ]] && kind=ROOM
    # The last word is to whom, those before are files: both.
    if [[ $name == send && $cur == [@#]* ]]; then
        kind=TARGET
    elif [[ $name == send ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur"; compgen -W "$(_roost_rooms)" -- "$cur")
        return
    fi
    case $name in
    play)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur"; compgen -W "$(_roost_file_ids get)" -- "$cur")
        return
        ;;
    get | accept | decline | cancel | pause | resume | forget) kind=FILE_ID ;;
    esac
    # Names of those in the meeting may hold spaces.
    if [[ $name == 'meet host' && $kind == *USER* ]]; then
        # A wrong code costs a guess: only those of one's own meetings are asked about.
        [[ ${said[2]} =~ ^[0-9]+$ && " $(_roost_codes | tr '\n' ' ') " == *" ${said[2]} "* ]] || return
        while IFS= read -r word; do
            [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
        done < <(_roost_ask name meet who "${said[2]}")
        return
    fi
    local names=''
    case $kind in
    FILE_ID) names=$(_roost_file_ids "$name") ;;
    *CODE*) names=$(_roost_codes) ;;
    *ACTION*) names=$_roost_actions ;;
    *TARGET*) names="$(_roost_rooms) $(_roost_ask name who | sed 's/^/@/')" ;;
    *ROOM*) names=$(_roost_rooms) ;;
    *USER*) names=$(_roost_ask name who) ;;
    *ROLE*) names='member moderator owner user admin' ;;
    *DIR*)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    *FILE*)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    *COMMAND*) names=$(cut -d$'\037' -f1 <<<"$table" | cut -d' ' -f1 | sort -u) ;;
    esac
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$names" -- "$cur")
}

# What a host can do, one of `roost meet host CODE`.
_roost_actions='admit deny admit-all deny-all message mute mute-all mute-on-entry no-mute-on-entry
lock-mic unlock-mic ask-unmute ask-video stop-video allow-share forbid-share give-share take-share
allow-chat forbid-chat allow-notes forbid-notes allow-rename forbid-rename allow-record
forbid-record spotlight spotlight-off rename remove ban unban make-host make-cohost drop-cohost
make-viewer make-participant take-back lower-hand lock unlock open close title keep-chat
forget-chat end'

complete -F _roost roost
