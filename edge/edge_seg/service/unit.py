"""The unit file of a camera: systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.resource-control(5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.service.quoting import exec_line, exec_word

_UNIT_FOLDER = Path("etc/systemd/system")
_SECRETS_FOLDER = Path("etc/edge-seg")

_TEMPLATE = """\
# Written by: edge-seg service install --name {name}. Changes of your own: sudo systemctl edit {unit}
[Unit]
Description=edge-seg camera ({name})
Wants=network-online.target
After=network-online.target time-sync.target
StartLimitIntervalSec=0
{mounts}
[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
Restart=always
RestartSec=5
RestartPreventExitStatus=2
TimeoutStartSec=120
TimeoutStopSec=15
WatchdogSec={watchdog_s}
EnvironmentFile=-/{secrets}
Environment=PYTHONUNBUFFERED=1
# When the watchdog ends it (SIGABRT), the log says where each thread hung, and no core file fills the card
Environment=PYTHONFAULTHANDLER=1
LimitCORE=0

# Who it is: nobody, who may open cameras; results are in /var/lib/{state}
{identity}
SupplementaryGroups=video
StateDirectory={state}
StateDirectoryMode=0755
WorkingDirectory=%S/{state}
UMask=0022

# What it may see and change
ProtectSystem=strict
{writable}ProtectHome={protect_home}
PrivateTmp=yes
PrivateMounts=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes

# Cameras: V4L2, and what libcamera opens beside it
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-media rw
DeviceAllow=char-dma_heap rw
DeviceAllow=/dev/vcio rw
DeviceAllow=/dev/vchiq rw

# What it may do
CapabilityBoundingSet=
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=setpriority

# What it may take; the kernel of Raspberry Pi OS minds MemoryMax with cgroup_enable=memory in cmdline.txt
MemoryMax={memory_max}
# A new model is tried in a process of its own: when that runs out of memory, the camera goes on
OOMPolicy=continue
TasksMax=200

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Service:
    """A camera service by its name; where its files are, relative to the root of the file system."""

    name: str

    @property
    def unit(self) -> str:
        """The unit's name."""
        return f"edge-seg-{self.name}.service"

    @property
    def unit_path(self) -> Path:
        """The unit file."""
        return _UNIT_FOLDER / self.unit

    @property
    def secrets_path(self) -> Path:
        """The environment file, which root alone may read."""
        return _SECRETS_FOLDER / f"{self.name}.env"

    @property
    def state(self) -> str:
        """The folder below /var/lib for what the camera writes."""
        return f"edge-seg/{self.name}"


@dataclass(frozen=True)
class UnitSettings:
    """What differs from one camera to the next."""

    command: Sequence[str]
    """Program and arguments, `${NAME}` for what is in the environment file."""
    user: str | None = None
    """An account to run as; None for one that exists only while the service runs (DynamicUser)."""
    home_is_needed: bool = False
    """The program or the model lies below /home or /root."""
    writable: Sequence[Path] = ()
    """Folders beside its own that it may write to; they are mounted before it starts."""
    watchdog_s: int = 60
    memory_max: str = "75%"


def unit_text(service: Service, settings: UnitSettings) -> str:
    """Write the unit file of a service."""
    folders = " ".join(exec_word(str(folder)) for folder in settings.writable)
    return _TEMPLATE.format(
        name=service.name,
        unit=service.unit,
        command=exec_line(list(settings.command)),
        watchdog_s=settings.watchdog_s,
        secrets=service.secrets_path,
        identity=f"User={settings.user}" if settings.user else "DynamicUser=yes",
        state=service.state,
        mounts=f"RequiresMountsFor={folders}\n" if folders else "",
        writable=f"ReadWritePaths={folders}\n" if folders else "",
        protect_home="read-only" if settings.home_is_needed else "yes",
        memory_max=settings.memory_max,
    )
