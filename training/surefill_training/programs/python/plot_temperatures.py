import csv
from collections import defaultdict
from datetime import datetime

import matplotlib.pyplot as plt


def read_measurements(filename):
    """Return a dictionary from station to a list of (time, temperature)."""
    stations = defaultdict(list)
    with open(filename, newline="") as f:
        reader = csv.DictReader(f)
        for row in reader:
            if row["temperature"] == "":
                continue
            when = datetime.strptime(row["time"], "%Y-%m-%d %H:%M")
            stations[row["station"]].append((when, float(row["temperature"])))
    return stations


def moving_average(values, window=5):
    averages = []
    for i in range(len(values)):
        start = max(0, i - window + 1)
        part = values[start:i + 1]
        averages.append(sum(part) / len(part))
    return averages


stations = read_measurements("measurements.csv")

fig, (ax1, ax2) = plt.subplots(2, 1, figsize=(10, 8))

# time series on top
for name, points in stations.items():
    times = [p[0] for p in points]
    temperatures = [p[1] for p in points]
    ax1.plot(times, temperatures, alpha=0.3)
    ax1.plot(times, moving_average(temperatures, 24), label=name)

ax1.set_title("Temperatures")
ax1.set_xlabel("Time")
ax1.set_ylabel("Temperature (°C)")
ax1.legend()
ax1.grid(True)

# distribution below
names = sorted(stations)
data = [[t for _, t in stations[name]] for name in names]
ax2.boxplot(data)
ax2.set_xticklabels(names)
ax2.set_ylabel("Temperature (°C)")

fig.autofmt_xdate()
fig.tight_layout()
fig.savefig("temperatures.png", dpi=150)
plt.show()
