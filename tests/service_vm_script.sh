# Runs in the machine of service_vm.sh: a camera as a service, from installation to removal.
exec > /dev/ttyAMA0 2>&1
cd /tmp
export COLUMNS=110 TERM=dumb
UNIT=edge-seg-door
edge_seg() { /opt/edge-seg/bin/python3 -m edge_seg.cli "$@"; echo "exit code $?"; }
pid() { systemctl show --property MainPID --value $UNIT; }
wait_for_another_than() {
  for _ in $(seq 90); do
    [ "$(systemctl is-active $UNIT)" = active ] && [ "$(pid)" != "$1" ] && return
    sleep 2
  done
  echo "not active after 180 s"
}

chgrp video /dev/video0; chmod 660 /dev/video0  # what Debian's udev rules do with a camera on a bus
echo "=== machine"; systemctl --version | head -1; grep MemTotal /proc/meminfo
echo "=== doctor"; edge_seg doctor --folder /var/lib
echo "=== install"
edge_seg service install --name door --watchdog 20 -- --source 0 --out events.jsonl
wait_for_another_than none
sleep 10
echo "=== status"; edge_seg service status --name door
echo "=== process"; grep -e '^Uid' -e '^Groups' -e '^Seccomp:' -e '^NoNewPrivs' -e '^CapBnd' "/proc/$(pid)/status"
echo "=== results"; wc -l < /var/lib/edge-seg/door/events.jsonl
echo "=== hang"; hung=$(pid); kill -STOP "$hung"; wait_for_another_than "$hung"
edge_seg service status --name door --lines 40
echo "=== killed"; killed=$(pid); kill -KILL "$killed"; wait_for_another_than "$killed"
systemctl show --property NRestarts $UNIT
echo "=== not root"; setpriv --reuid 1000 --clear-groups /opt/edge-seg/bin/python3 -m edge_seg.cli service uninstall --name door
echo "=== uninstall"; edge_seg service uninstall --name door --purge
find /etc/systemd/system /var/lib /etc/edge-seg -name '*edge-seg*' -o -name 'door*' 2> /dev/null
echo "=== gone"; edge_seg service status --name door
echo "=== end"
