#!/bin/bash
# Put the tshark of newer Debian releases beside the machine's own, each in a folder of its own, for the tests.
# trixie has 4.4 and sid the newest. Needs root (debootstrap), the network, and half a minute for each release.
#
# usage: wireshark/versions.sh [RELEASE...]        default: trixie sid
set -euo pipefail

folder=${XDG_CACHE_HOME:-$HOME/.cache}/xenmig/wireshark
mkdir -p "$folder"

if ! command -v debootstrap > /dev/null; then
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap
fi

for release in "${@:-trixie sid}"; do
	for name in $release; do
		root=$folder/$name
		if [ -x "$root/usr/bin/tshark" ] && [ -e "$root/.complete" ]; then
			echo "$name: $(chroot "$root" tshark --version 2> /dev/null | head -n 1)"
			continue
		fi
		rm -rf "$root"
		debootstrap --variant=minbase "$name" "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} > "$folder/$name.log" 2>&1 || {
			tail "$folder/$name.log" >&2
			exit 1
		}
		# A snapshot mirror's Release file may be older than apt likes; packages are signed all the same.
		chroot "$root" apt-get -q -o Acquire::Check-Valid-Until=false update >> "$folder/$name.log" 2>&1
		DEBIAN_FRONTEND=noninteractive chroot "$root" \
			apt-get -q -y --no-install-recommends install tshark >> "$folder/$name.log" 2>&1 || {
			tail "$folder/$name.log" >&2
			exit 1
		}
		# From 4.4 on, root's tshark loads no script at all unless the global init.lua says so.
		# The second folder is where a tshark looks that is started from outside with the loader of its own release.
		libraries=$(dirname "$(find "$root/usr/lib" -name 'libwireshark.so.*' | head -n 1)")
		mkdir -p "$libraries/plugins"
		echo 'run_user_scripts_when_superuser = true' |
			tee "$libraries/wireshark/plugins/init.lua" > "$libraries/plugins/init.lua"
		chroot "$root" apt-get clean
		touch "$root/.complete"
		echo "$name: $(chroot "$root" tshark --version 2> /dev/null | head -n 1)"
	done
done
