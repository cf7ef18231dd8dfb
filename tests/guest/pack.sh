#!/bin/sh
# pack.sh TREE STANDIN OUT FILE...: makes the initramfs of a virtual machine whose first process is
# `init`, with its modules and busybox from TREE, an unpacked kernel, and the programs, libraries and
# FILEs that it needs.
set -e
tree=$1 standin=$2 out=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/modules" "$root/usr/share"
cp "$here/init" "$@" "$root/"
cp "$tree/bin/busybox" /usr/bin/aplay "$root/bin/"
strip -o "$root/bin/standin" "$standin"
for program in "$standin" /usr/bin/aplay; do
    ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p'
done | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
cp -r /usr/share/alsa "$root/usr/share/alsa"

release=$(ls "$tree/lib/modules")
[ -e "$tree/lib/modules/$release/modules.dep.bin" ] || /sbin/depmod -b "$tree" "$release"
for module in vivid snd-aloop; do
    /sbin/modprobe -d "$tree" -S "$release" --show-depends "$module"
done | while read -r verb module _; do
    name=$(basename "$module" .xz)
    # What is part of the kernel needs no loading, and what both need is loaded once.
    if [ "$verb" != insmod ] || [ -e "$root/modules/$name" ]; then continue; fi
    case $module in
        *.xz) xz -dc "$module" ;;
        *) cat "$module" ;;
    esac > "$root/modules/$name"
    case $name in
        # One device, which captures, with a picture's planes in one buffer as in most cameras.
        vivid.ko) echo "$name n_devs=1 node_types=0x1 multiplanar=1" ;;
        snd-aloop.ko) echo "$name pcm_substreams=1" ;;
        *) echo "$name" ;;
    esac >> "$root/modules/list"
done
# Not compressed: unpacking takes the emulated machine longer than reading.
(cd "$root" && find . | bin/busybox cpio -o -H newc 2>/dev/null) > "$out"
