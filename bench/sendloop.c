/* The limit: one send() a reader a message. Accepts N readers on PORT, answers each handshake with nothing, then for
 * every line on standard input sends a frame of SIZE bytes to all of them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **given) {
    if (count != 4) return 2;
    int port = atoi(given[1]), readers = atoi(given[2]), size = atoi(given[3]), yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0), *all = malloc(sizeof(int) * readers);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) return 1;
    puts("ready"); fflush(stdout);
    for (int i = 0; i < readers; i++) all[i] = accept(listener, NULL, NULL);
    puts("full"); fflush(stdout);
    char *frame = malloc(size), line[64];
    memset(frame, 'x', size);
    while (fgets(line, sizeof line, stdin)) {
        for (int n = atoi(line); n > 0; n--)
            for (int i = 0; i < readers; i++)
                if (send(all[i], frame, size, MSG_NOSIGNAL) != size) return 1;
    }
    return 0;
}
