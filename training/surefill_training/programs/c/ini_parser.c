/*
 * ini_parser - read simple INI files
 *
 * Sections in brackets, "key = value" lines, comments with ; or #.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 1024
#define MAX_NAME 64

typedef int (*ini_handler)(void *user, const char *section, const char *key, const char *value);

struct server_config {
	char host[MAX_NAME];
	int port;
	int max_connections;
	int debug;
};

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	if (*s == '\0')
		return s;
	end = s + strlen(s) - 1;
	while (end > s && isspace((unsigned char)*end))
		end--;
	end[1] = '\0';
	return s;
}

/* Returns 0, the number of the first bad line, or -1 if the file cannot be read. */
int ini_parse(const char *path, ini_handler handler, void *user)
{
	char line[MAX_LINE];
	char section[MAX_NAME] = "";
	int number = 0;
	int error = 0;
	FILE *file = fopen(path, "r");

	if (!file)
		return -1;

	while (!error && fgets(line, sizeof(line), file)) {
		char *start = trim(line);
		char *equals;

		number++;
		if (*start == '\0' || *start == ';' || *start == '#')
			continue;
		if (*start == '[') {
			char *close = strchr(start, ']');
			if (!close) {
				error = number;
				break;
			}
			*close = '\0';
			snprintf(section, sizeof(section), "%s", start + 1);
			continue;
		}
		equals = strchr(start, '=');
		if (!equals) {
			error = number;
			break;
		}
		*equals = '\0';
		if (!handler(user, section, trim(start), trim(equals + 1)))
			error = number;
	}
	fclose(file);
	return error;
}

static int on_entry(void *user, const char *section, const char *key, const char *value)
{
	struct server_config *config = user;

	if (strcmp(section, "server") != 0)
		return 1;
	if (strcmp(key, "host") == 0)
		snprintf(config->host, sizeof(config->host), "%s", value);
	else if (strcmp(key, "port") == 0)
		config->port = atoi(value);
	else if (strcmp(key, "max_connections") == 0)
		config->max_connections = atoi(value);
	else if (strcmp(key, "debug") == 0)
		config->debug = strcmp(value, "true") == 0;
	else
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	struct server_config config = { "localhost", 8080, 100, 0 };
	const char *path = argc > 1 ? argv[1] : "server.ini";
	int result = ini_parse(path, on_entry, &config);

	if (result < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	} else if (result > 0) {
		fprintf(stderr, "%s:%d: syntax error\n", path, result);
		return 1;
	}
	printf("%s:%d, up to %d connections\n", config.host, config.port, config.max_connections);
	return 0;
}
