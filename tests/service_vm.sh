#!/bin/bash
# Boot an arm64 machine of 512 MB with systemd as process 1 and a V4L2 camera (vivid), and run a script in it.
# usage: service_vm.sh WORK TOOLS SITE SCRIPT
#   WORK    folder for downloads and the disk image; kept between runs
#   TOOLS   folder of arm64-root.sh and arm64-vm.sh, which bring userland, wheels and kernel
#   SITE    folder with edge_seg, as `pip install --no-deps --target` makes it
#   SCRIPT  run as root once the machine is up; what it prints comes to stdout
# Needs root, apt, qemu-user, qemu-system-arm, cpio, kmod and e2fsprogs. No package's installation script runs:
# nothing of the guest can be executed on the host, so accounts and groups are written here.
set -euo pipefail
WORK=$(mkdir -p "$1" && cd "$1" && pwd); TOOLS=$2; SITE=$(cd "$3" && pwd); SCRIPT=$(realpath "$4")
BASE=$WORK/base; ROOT=$WORK/root; INITRD=$WORK/initrd

if [ ! -e "$BASE/vm/disk.img" ]; then
  bash "$TOOLS/arm64-root.sh" "$BASE" 'ai-edge-litert>=2.1' 'numpy>=1.26' 'opencv-python-headless>=4.10' pillow typer rich pydantic defusedxml ijson tomli-w
  mkdir -p "$WORK/empty"
  bash "$TOOLS/arm64-vm.sh" "$BASE" "$WORK/empty" '/usr/bin/python3.11 -c pass'
fi

APT=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$BASE/apt"
  -o Dir::State::Lists="$BASE/apt/lists" -o Dir::State::status="$BASE/apt/status" -o Dir::Cache="$WORK/cache"
  -o APT::Install-Recommends=false)
mkdir -p "$WORK/cache/archives/partial"
"${APT[@]}" -y --download-only install systemd systemd-sysv dbus udev bash dash coreutils util-linux mount grep sed \
  procps passwd login libnss-systemd base-files base-passwd libc-bin python3.11-minimal libpython3.11-stdlib libstdc++6

rm -rf "$ROOT"; mkdir -p "$ROOT"/usr/{bin,sbin,lib}
for folder in bin sbin lib; do ln -s "usr/$folder" "$ROOT/$folder"; done
for package in "$WORK"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$ROOT"
done
cp "$ROOT/usr/share/base-passwd/passwd.master" "$ROOT/etc/passwd"
cp "$ROOT/usr/share/base-passwd/group.master" "$ROOT/etc/group"
sed -i 's/^root:[^:]*/root:/' "$ROOT/etc/passwd"
for account in 101:messagebus 102:systemd-network 103:systemd-resolve 104:systemd-timesync; do
  id=${account%%:*} name=${account#*:}
  echo "$name:x:$id:$id::/nonexistent:/usr/sbin/nologin" >> "$ROOT/etc/passwd"
  echo "$name:x:$id:" >> "$ROOT/etc/group"
done
for group in 110:kvm 111:render 112:sgx 113:systemd-journal; do echo "${group#*:}:x:${group%%:*}:" >> "$ROOT/etc/group"; done
[ -e "$ROOT/bin/sh" ] || ln -s dash "$ROOT/bin/sh"
: > "$ROOT/etc/machine-id"; : > "$ROOT/etc/fstab"; echo door > "$ROOT/etc/hostname"
mkdir -p "$ROOT"/{proc,sys,dev,run,tmp,root} "$ROOT"/var/{lib,log,tmp}; chmod 1777 "$ROOT/tmp" "$ROOT/var/tmp"

PACKAGES=$ROOT/usr/local/lib/python3.11/dist-packages
mkdir -p "$PACKAGES" "$ROOT/opt/edge-seg/bin"
cp -a "$BASE/sp" "$ROOT/opt/edge-seg/sp"; cp -r "$SITE/." "$ROOT/opt/edge-seg/sp/"; chmod -R go+rX "$ROOT/opt"
echo /opt/edge-seg/sp > "$PACKAGES/edge-seg.pth"
ln -s ../../../usr/bin/python3.11 "$ROOT/opt/edge-seg/bin/python3"

cp "$SCRIPT" "$ROOT/opt/script.sh"
UNITS=$ROOT/etc/systemd/system; mkdir -p "$UNITS/multi-user.target.wants"
cat > "$UNITS/script.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=900
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyAMA0
ExecStart=/bin/sh /opt/script.sh
ExecStopPost=/bin/systemctl poweroff --force --force
UNIT
ln -s ../script.service "$UNITS/multi-user.target.wants/script.service"
ln -s /lib/systemd/system/multi-user.target "$UNITS/default.target"
for unit in serial-getty@ttyAMA0 getty@tty1 systemd-networkd systemd-networkd-wait-online systemd-resolved systemd-timesyncd; do
  ln -sf /dev/null "$UNITS/$unit.service"
done

KERNEL=$BASE/vm; VERSION=$(ls "$KERNEL/k/lib/modules")
rm -rf "$INITRD"; mkdir -p "$INITRD"/{bin,proc,sys,dev,mnt}
cp -a "$KERNEL/ird/mods" "$KERNEL/ird/order" "$INITRD/"; cp "$KERNEL/k/bin/busybox" "$INITRD/bin/"; ln -s busybox "$INITRD/bin/sh"
cat > "$INITRD/init" <<'INIT'
#!/bin/sh
B=/bin/busybox; $B mount -t proc p /proc; $B mount -t sysfs s /sys; $B mount -t devtmpfs d /dev
for module in $($B cat /order); do
  options=; [ $module = vivid.ko ] && options="n_devs=1 node_types=0x1 no_error_inj=1"
  $B insmod /mods/$module $options
done
$B mount -t ext4 -o rw /dev/vda /mnt; $B umount /proc /sys; $B mount --move /dev /mnt/dev
exec $B switch_root /mnt /lib/systemd/systemd
INIT
chmod +x "$INITRD/init"; (cd "$INITRD"; find . | cpio -o -H newc 2> /dev/null | gzip -1 > "$WORK/initrd.gz")
rm -f "$WORK/disk.img"; mke2fs -q -t ext4 -d "$ROOT" "$WORK/disk.img" 2000M
timeout "${VMTIMEOUT:-900}" qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 2 -m 512 -nographic -no-reboot -nic none \
  -kernel "$KERNEL/k/boot/vmlinuz-$VERSION" -initrd "$WORK/initrd.gz" \
  -append "console=ttyAMA0 quiet loglevel=3 panic=1 rdinit=/init systemd.show_status=no" \
  -drive "file=$WORK/disk.img,format=raw,if=none,id=d" -device virtio-blk-device,drive=d < /dev/null | tr -d '\r'
