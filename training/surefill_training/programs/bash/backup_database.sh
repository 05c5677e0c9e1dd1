#!/usr/bin/env bash
set -eu

readonly SCRIPT_NAME=$(basename "$0")
readonly BACKUP_DIR="${BACKUP_DIR:-$HOME/backups}"
readonly CONFIG_FILE="${CONFIG_FILE:-$HOME/.backup.conf}"

databases=()
retention_days=14
compress="gzip"
notify=""

function print_help {
	cat <<HELP
$SCRIPT_NAME - dump PostgreSQL databases

Options:
  --days N       delete backups older than N days (default: $retention_days)
  --xz           compress with xz instead of gzip
  --notify MAIL  send a mail when something fails
  --help         show this text
HELP
}

function load_config {
	local key value
	while IFS='=' read -r key value; do
		case "$key" in
			'' | \#*) continue ;;
			databases) IFS=',' read -r -a databases <<< "$value" ;;
			days) retention_days="$value" ;;
			notify) notify="$value" ;;
			*) echo "$CONFIG_FILE: unknown key $key" >&2 ;;
		esac
	done < "$CONFIG_FILE"
}

function on_error {
	local database="$1"
	echo "Backup of $database failed" >&2
	if [[ -n "$notify" ]]; then
		echo "See the log on $(hostname)" | mail -s "Backup of $database failed" "$notify"
	fi
}

function backup {
	local database="$1"
	local stamp extension target
	stamp=$(date +%F_%H%M)
	extension=gz
	if [[ "$compress" == "xz" ]]; then
		extension=xz
	fi
	target="$BACKUP_DIR/$database-$stamp.sql.$extension"

	echo "Dumping $database to $target"
	# write to a temporary name first, so that nobody restores half a dump
	if pg_dump --no-owner "$database" | "$compress" > "$target.part"; then
		mv "$target.part" "$target"
		sha256sum "$target" > "$target.sha256"
	else
		rm -f "$target.part"
		return 1
	fi
}

if [[ -f "$CONFIG_FILE" ]]; then
	load_config
fi

while [[ $# -gt 0 ]]; do
	case "$1" in
		--days)
			retention_days="$2"
			shift 2
			;;
		--xz)
			compress="xz"
			shift
			;;
		--notify)
			notify="$2"
			shift 2
			;;
		--help)
			print_help
			exit 0
			;;
		*)
			databases+=("$1")
			shift
			;;
	esac
done

if [[ ${#databases[@]} -eq 0 ]]; then
	echo "$SCRIPT_NAME: no databases given" >&2
	exit 2
fi

set -o pipefail
mkdir -p "$BACKUP_DIR"
failures=0
for database in "${databases[@]}"; do
	backup "$database" || { on_error "$database"; failures=$((failures + 1)); }
done

find "$BACKUP_DIR" -name '*.sql.*' -mtime "+$retention_days" -print -delete
exit "$failures"
