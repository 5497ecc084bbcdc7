#!/usr/bin/env bash
# install.sh WHAT - installs the packages of scripts/packages that are missing,
# for WHAT = run or test (which includes run). Says which, asks nothing. Without
# the right to install, prints the one line that does it and exits with 1.
set -u
cd "$(dirname "$0")" || exit 1
what=${1:-run}

wanted=$(awk -v what="$what" '!/^#/ && NF == 2 && ($2 == "run" || $2 == what) { print $1 }' packages)
missing=
for p in $wanted; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $p" ;;
    esac
done
[ -n "$missing" ] || exit 0

echo "Missing Debian packages:$missing"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    as="" who="As root, install them with:"
    command -v sudo >/dev/null && as="sudo " who="Install them with:"
    # the lists too: a bare machine has none
    echo "$who  ${as}apt-get update && ${as}apt-get install -y --no-install-recommends$missing"
    exit 1
fi

apt_get() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null
}
# shellcheck disable=SC2086 # the names are to be split
apt_get install -y --no-install-recommends $missing ||
    { apt_get update && apt_get install -y --no-install-recommends $missing; } ||
    { echo "Could not install them; try:  sudo apt-get update && sudo apt-get install -y$missing"; exit 1; }
echo "Installed."
