// Numbers and times as people read them.

export const percent = (share) => {
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)}%`;
};

export const milliseconds = (ms) => (ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)}` : `${(ms / 1000).toFixed(1)}`);

export const millisecondUnit = (ms) => (ms < 1000 ? "ms" : "s");

export const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const dayAndClock = (seconds) => {
  const day = new Date(seconds * 1000).toLocaleDateString([], { day: "numeric", month: "short" });
  return `${day}, ${clock(seconds)}`;
};
