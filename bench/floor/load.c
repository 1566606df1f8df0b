/* A load generator: N keep-alive connections, one request under way on each, prepared requests.

   load PORT CONNECTIONS SECONDS TARGETS FIRST     TARGETS: one per line; begins with the FIRST
   Prints one JSON line: answers, seconds, rate, bad, and latency percentiles in microseconds. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MOST_TARGETS = 1 << 20, MOST_CONNECTIONS = 4096, MOST_US = 1 << 20 };

/* What a browser sends, in many versions and from many sites; a connection is one browser's. */
static const char HEADERS[] =
    " HTTP/1.1\r\nHost: jobs.example.test\r\nConnection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"%d\", \"Not.A/Brand\";v=\"24\"\r\n"
    "sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Windows\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/%d.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    "\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\nReferer: https://publisher-%d.example.test/\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n";
enum { VERSIONS = 40, SITES = 50 };

static struct { char *text; size_t length; } targets[MOST_TARGETS], headers[VERSIONS * SITES];
static int target_count, next_target;
static struct { uint64_t sent_at; int length; char in[4096]; } connections[MOST_CONNECTIONS];
static uint32_t latencies[MOST_US];

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void send_next(int fd, uint64_t now)
{
    int at = next_target++ % target_count, with = fd * 7 % (VERSIONS * SITES);
    struct iovec parts[] = {{"GET ", 4},
                            {targets[at].text, targets[at].length},
                            {headers[with].text, headers[with].length}};
    connections[fd].sent_at = now;
    connections[fd].length = 0;
    if (writev(fd, parts, 3) != (ssize_t)(4 + targets[at].length + headers[with].length)) exit(5);
}

static int percentile(uint64_t total, double share)
{
    uint64_t seen = 0;
    for (int us = 0; us < MOST_US; us++)
        if ((seen += latencies[us]) >= (uint64_t)((double)total * share)) return us;
    return MOST_US;
}

int main(int argc, char **argv)
{
    if (argc != 6) return 2;
    int port = atoi(argv[1]), count = atoi(argv[2]), poll = epoll_create1(0), yes = 1;
    static char line[9000];
    FILE *file = fopen(argv[4], "r");
    if (!file || count >= MOST_CONNECTIONS - 64) return 2;
    while (target_count < MOST_TARGETS && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        targets[target_count].length = strlen(line);
        targets[target_count++].text = strdup(line);
    }
    for (int i = 0; i < VERSIONS * SITES; i++) {
        headers[i].length = (size_t)sprintf(line, HEADERS, 100 + i % VERSIONS, 100 + i % VERSIONS,
                                            i / VERSIONS);
        headers[i].text = strdup(line);
    }
    next_target = atoi(argv[5]);
    fclose(file);
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint64_t start = now_us(), end = start + (uint64_t)(atof(argv[3]) * 1e6), now = start;
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&there, sizeof there)) return 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        send_next(fd, now_us());
    }
    uint64_t answers = 0, bad = 0;
    struct epoll_event events[512];
    while (now < end) {
        int n = epoll_wait(poll, events, 512, 100);
        now = now_us();
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd, *length = &connections[fd].length;
            char *in = connections[fd].in;
            ssize_t got = read(fd, in + *length, sizeof connections[fd].in - 1 - (size_t)*length);
            if (got <= 0) return 6;
            *length += (int)got;
            in[*length] = 0;
            if (*length < 4 || memcmp(in + *length - 4, "\r\n\r\n", 4)) continue;
            bad += memcmp(in, "HTTP/1.1 302", 12) != 0 || !strstr(in, "jClickId=");
            answers++;
            uint64_t took = now - connections[fd].sent_at;
            latencies[took < MOST_US ? took : MOST_US - 1]++;
            send_next(fd, now);
        }
    }
    double seconds = (double)(now - start) / 1e6;
    printf("{\"answers\": %llu, \"seconds\": %.6f, \"rate\": %.1f, \"bad\": %llu, \"p50_us\": %d, "
           "\"p99_us\": %d, \"p999_us\": %d}\n",
           (unsigned long long)answers, seconds, (double)answers / seconds,
           (unsigned long long)bad, percentile(answers, .5), percentile(answers, .99),
           percentile(answers, .999));
    return 0;
}
