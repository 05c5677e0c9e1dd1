#!/bin/bash
# Rotate and compress log files, delete the ones that are too old.
# Meant to be started by cron every night.

LOG_DIR=${LOG_DIR:-/var/log/myapp}
MAX_SIZE_KB=${MAX_SIZE_KB:-10240}
KEEP=${KEEP:-7}
PIDFILE=/run/myapp.pid
VERBOSE=0

if [ "$1" = "-v" ]; then
  VERBOSE=1
fi

info() {
  if [ "$VERBOSE" -eq 1 ]; then
    echo "$1"
  fi
}

# size of a file in kilobytes
size_kb() {
  du -k "$1" | cut -f1
}

# app.log.1.gz -> app.log.2.gz and so on, the oldest one falls out
shift_archives() {
  local file=$1
  local i
  rm -f "$file.$KEEP.gz"
  for ((i = KEEP - 1; i >= 1; i--)); do
    if [ -f "$file.$i.gz" ]; then
      mv "$file.$i.gz" "$file.$((i + 1)).gz"
    fi
  done
}

rotate() {
  local file=$1
  shift_archives "$file"
  if ! cp "$file" "$file.1"; then
    echo "cannot copy $file, disk full?" >&2
    return 1
  fi
  # truncate instead of move: the application keeps the file open
  : > "$file"
  gzip -f "$file.1"
  info "rotated $file"
}

if [ ! -d "$LOG_DIR" ]; then
  echo "no such directory: $LOG_DIR" >&2
  exit 1
fi

rotated=0
failed=0
for file in "$LOG_DIR"/*.log; do
  [ -f "$file" ] || continue
  size=$(size_kb "$file")
  if [ "$size" -lt "$MAX_SIZE_KB" ]; then
    info "skipping $file ($size KB)"
    continue
  fi
  if rotate "$file"; then
    rotated=$((rotated + 1))
  else
    failed=$((failed + 1))
  fi
done

# archives of applications that do not exist any more
find "$LOG_DIR" -name '*.gz' -mtime +30 -delete

if [ "$rotated" -gt 0 ] && [ -f "$PIDFILE" ]; then
  kill -HUP "$(cat "$PIDFILE")"
fi

echo "$rotated rotated, $failed failed"
[ "$failed" -eq 0 ]
