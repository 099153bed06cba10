/* The wire's limit: one IMAP session that fetches every mail of INBOX with one command and keeps nothing.
 * Usage: wire HOST PORT USER PASSWORD [CA-FILE]     (with a CA file: TLS)
 * Prints the bytes received and the seconds from connecting to the tagged answer. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[256 * 1024];
static SSL *tls;
static int plain = -1;

static int take(char *into, int room) { return tls ? SSL_read(tls, into, room) : (int)read(plain, into, room); }

static void say(const char *line) {
    int length = (int)strlen(line);
    if ((tls ? SSL_write(tls, line, length) : (int)write(plain, line, length)) != length) exit(3);
}

/* Reads until a line begins with the tag; literals are not parsed: no mail of the bench holds such a line. */
static long long until(const char *tag) {
    long long bytes = 0;
    char tail[64] = "\n";
    size_t kept = 1, length = strlen(tag);
    char wanted[32];
    snprintf(wanted, sizeof wanted, "\n%s ", tag);
    for (;;) {
        int count = take(buffer, sizeof buffer);
        if (count <= 0) exit(4);
        bytes += count;
        /* The answer is the last line: it is enough to look at the end of what came. */
        char end[sizeof tail + 2048];
        size_t have = (size_t)count < 2048 ? (size_t)count : 2048;
        memcpy(end, tail, kept);
        memcpy(end + kept, buffer + count - have, have);
        size_t total = kept + have;
        for (size_t at = 0; at + length + 2 <= total; at++)
            if (memcmp(end + at, wanted, length + 2) == 0 && end[total - 1] == '\n') {
                if (memcmp(end + at + length + 2, "OK", 2) != 0) exit(5);
                return bytes;
            }
        kept = total < 40 ? total : 40;
        memmove(tail, end + total - kept, kept);
    }
}

int main(int count, char **arguments) {
    if (count < 5) return 2;
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    plain = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[2]))};
    inet_pton(AF_INET, arguments[1], &address.sin_addr);
    if (connect(plain, (struct sockaddr *)&address, sizeof address) != 0) return 3;
    if (count > 5) {
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_load_verify_locations(context, arguments[5], NULL);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        tls = SSL_new(context);
        SSL_set_fd(tls, plain);
        if (SSL_connect(tls) != 1) return 3;
    }
    take(buffer, sizeof buffer);
    char line[512];
    snprintf(line, sizeof line, "a1 LOGIN \"%s\" \"%s\"\r\n", arguments[3], arguments[4]);
    say(line);
    until("a1");
    say("a2 EXAMINE INBOX\r\n");
    until("a2");
    say("a3 UID FETCH 1:* (UID INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n");
    long long bytes = until("a3");
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("%lld %.4f\n", bytes, (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
    return 0;
}
