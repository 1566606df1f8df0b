/* The floor: a minimal click server in C that does the same work as the edge.

   One thread, epoll, HTTP/1.1 with keep-alive. Per request: parse, base64url, check the token's
   keyed BLAKE2b mark, look the job up in a table, draw a click id and mark it, append a record with
   length and CRC-32. Per turn of the loop: one write and one fdatasync for all, then the 302s.

   floor PORT KEY_HEX TABLE JOURNAL      TABLE: one "job-id-hex url" per line */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 512, ROOM = 16384, MARK = 10, SLOTS = 1 << 18, MOST_CONNECTIONS = 4096 };

/* BLAKE2b, RFC 7693; the state after the key block is kept. */

static const uint64_t IV[8] = {
    0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
    0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};
static const uint8_t SIGMA[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};
static uint64_t keyed[8];

#define ROTR(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define G(a, b, c, d, x, y)                                                                        \
    do {                                                                                           \
        v[a] += v[b] + (x); v[d] = ROTR(v[d] ^ v[a], 32);                                          \
        v[c] += v[d];       v[b] = ROTR(v[b] ^ v[c], 24);                                          \
        v[a] += v[b] + (y); v[d] = ROTR(v[d] ^ v[a], 16);                                          \
        v[c] += v[d];       v[b] = ROTR(v[b] ^ v[c], 63);                                          \
    } while (0)

static void compress(uint64_t h[8], const uint8_t block[128], uint64_t seen, int last)
{
    uint64_t v[16], m[16];
    memcpy(m, block, 128);
    memcpy(v, h, 64);
    memcpy(v + 8, IV, 64);
    v[12] ^= seen;
    if (last) v[14] = ~v[14];
    for (int round = 0; round < 12; round++) {
        const uint8_t *s = SIGMA[round];
        G(0, 4, 8, 12, m[s[0]], m[s[1]]);   G(1, 5, 9, 13, m[s[2]], m[s[3]]);
        G(2, 6, 10, 14, m[s[4]], m[s[5]]);  G(3, 7, 11, 15, m[s[6]], m[s[7]]);
        G(0, 5, 10, 15, m[s[8]], m[s[9]]);  G(1, 6, 11, 12, m[s[10]], m[s[11]]);
        G(2, 7, 8, 13, m[s[12]], m[s[13]]); G(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
}

static void set_key(const uint8_t *key, size_t length)
{
    uint8_t block[128] = {0};
    memcpy(keyed, IV, 64);
    keyed[0] ^= 0x01010000 ^ (length << 8) ^ MARK;
    memcpy(block, key, length);
    compress(keyed, block, 128, 0);
}

static void mark_of(const uint8_t *text, size_t length, uint8_t out[MARK])
{
    uint64_t h[8];
    uint8_t block[128] = {0};
    memcpy(h, keyed, 64);
    memcpy(block, text, length); /* at most 128: one block */
    compress(h, block, 128 + length, 1);
    memcpy(out, h, MARK);
}

/* CRC-32, eight bytes at a time. */

static uint32_t crc_table[8][256];

static void set_crc(void)
{
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t c = n;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
        crc_table[0][n] = c;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 1; k < 8; k++)
            crc_table[k][n] = crc_table[0][crc_table[k - 1][n] & 255] ^ (crc_table[k - 1][n] >> 8);
}

static uint32_t crc_of(const uint8_t *at, size_t length)
{
    uint32_t c = ~0u;
    for (; length >= 8; at += 8, length -= 8) {
        uint32_t low, high;
        memcpy(&low, at, 4);
        memcpy(&high, at + 4, 4);
        low ^= c;
        c = crc_table[7][low & 255] ^ crc_table[6][low >> 8 & 255] ^
            crc_table[5][low >> 16 & 255] ^ crc_table[4][low >> 24] ^
            crc_table[3][high & 255] ^ crc_table[2][high >> 8 & 255] ^
            crc_table[1][high >> 16 & 255] ^ crc_table[0][high >> 24];
    }
    while (length--) c = crc_table[0][(c ^ *at++) & 255] ^ (c >> 8);
    return ~c;
}

/* base64url without padding */

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static int8_t digit_of[256];

static void set_digits(void)
{
    memset(digit_of, -1, sizeof digit_of);
    for (int i = 0; i < 64; i++) digit_of[(uint8_t)ALPHABET[i]] = (int8_t)i;
}

static int decode(const char *text, size_t length, uint8_t *out)
{
    uint32_t bits = 0, held = 0;
    int n = 0;
    for (size_t i = 0; i < length; i++) {
        int digit = digit_of[(uint8_t)text[i]];
        if (digit < 0) return -1;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[n++] = (uint8_t)(bits >> held);
        }
    }
    return bits & ((1u << held) - 1) ? -1 : n;
}

static int encode(const uint8_t *in, size_t length, char *out)
{
    uint32_t bits = 0, held = 0;
    int n = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | in[i];
        for (held += 8; held >= 6;) {
            held -= 6;
            out[n++] = ALPHABET[bits >> held & 63];
        }
    }
    if (held) out[n++] = ALPHABET[bits << (6 - held) & 63];
    return n;
}

/* The table: open addressing by the job id's first bytes. */

static struct { uint8_t job[16]; char *url; uint16_t length; } table[SLOTS];

static uint32_t slot_of(const uint8_t *job)
{
    uint32_t at;
    memcpy(&at, job, 4);
    for (at &= SLOTS - 1; table[at].url && memcmp(table[at].job, job, 16); at = (at + 1) & (SLOTS - 1)) {}
    return at;
}

static void read_table(const char *path)
{
    static char line[9000];
    FILE *file = fopen(path, "r");
    if (!file) exit(3);
    while (fgets(line, sizeof line, file)) {
        uint8_t job[16];
        for (int i = 0; i < 16; i++) {
            unsigned byte;
            if (sscanf(line + 2 * i, "%2x", &byte) != 1) exit(3);
            job[i] = (uint8_t)byte;
        }
        char *url = line + 33;
        url[strcspn(url, "\n")] = 0;
        uint32_t at = slot_of(job);
        memcpy(table[at].job, job, 16);
        table[at].url = strdup(url);
        table[at].length = (uint16_t)strlen(url);
    }
    fclose(file);
}

/* Requests */

static struct { char in[ROOM]; size_t length; } *connections[MOST_CONNECTIONS];
static struct { int fd; int length; char out[2048]; } answers[BATCH];
static uint8_t records[BATCH * 1024];
static size_t recorded;
static int answered;
static uint8_t drawn[4096];
static size_t drawn_at = sizeof drawn;
static char date[64];

static void say(int fd, const char *text)
{
    answers[answered].fd = fd;
    answers[answered].length = sprintf(answers[answered].out, "%s", text);
    answered++;
}

static void record(const uint8_t *signed_part, int length, const uint8_t *random, uint64_t at,
                   const char *agent, int agent_length)
{
    uint8_t *start = records + recorded, *out = start + 8;
    memcpy(out, &at, 8);            out += 8;
    memcpy(out, random, 16);        out += 16;
    memcpy(out, signed_part, length); out += length;
    out += sprintf((char *)out, "127.0.0.1");
    memcpy(out, agent, agent_length); out += agent_length;
    memset(out, 0, 24);             out += 24; /* what msgpack spends on tags and lengths */
    uint32_t size = (uint32_t)(out - start - 8), check = crc_of(start + 8, size);
    memcpy(start, &size, 4);
    memcpy(start + 4, &check, 4);
    recorded += size + 8;
}

static void click(int fd, const char *token, size_t length, const char *agent, int agent_length)
{
    uint8_t raw[256], mark[MARK], id[256];
    int n = length < 256 ? decode(token, length, raw) : -1;
    if (n < 2 + 17 + MARK || raw[0] != 1 || n - MARK > 128) goto bad;
    mark_of(raw, (size_t)(n - MARK), mark);
    if (memcmp(mark, raw + n - MARK, MARK)) goto bad;
    uint32_t slot = slot_of(raw + 3);
    if (!table[slot].url) goto bad;

    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t at = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    if (drawn_at == sizeof drawn) {
        if (getrandom(drawn, sizeof drawn, 0) != sizeof drawn) exit(4);
        drawn_at = 0;
    }
    const uint8_t *random = drawn + drawn_at;
    drawn_at += 16;
    id[0] = 2;
    id[1] = raw[1];
    memcpy(id + 2, random, 16);
    for (int i = 0; i < 7; i++) id[18 + i] = (uint8_t)(at >> (8 * (6 - i)));
    memcpy(id + 25, raw + 2, (size_t)(n - MARK - 2));
    int size = 25 + n - MARK - 2;
    mark_of(id, (size_t)size, id + size);
    record(raw, n - MARK, random, at, agent, agent_length);

    char *start = answers[answered].out, *out = start;
    out += sprintf(out, "HTTP/1.1 302 Found\r\nLocation: ");
    memcpy(out, table[slot].url, table[slot].length);
    out += table[slot].length;
    out += sprintf(out, "%cjClickId=", memchr(table[slot].url, '?', table[slot].length) ? '&' : '?');
    out += encode(id, (size_t)size + MARK, out);
    out += sprintf(out, "\r\nCache-Control: no-store\r\nReferrer-Policy: "
                        "strict-origin-when-cross-origin\r\nContent-Length: 0\r\nx-request-id: ");
    for (int i = 0; i < 16; i++) {
        *out++ = "0123456789abcdef"[random[i] >> 4];
        *out++ = "0123456789abcdef"[random[i] & 15];
    }
    out += sprintf(out, "\r\nDate: %s\r\nConnection: keep-alive\r\n\r\n", date);
    answers[answered].fd = fd;
    answers[answered].length = (int)(out - start);
    answered++;
    return;
bad:
    say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

/* The headers that decide something; a byte that may stand in no header refuses the request. */
static int headers(const char *at, const char *end, const char **agent, int *agent_length)
{
    static const struct { const char *name; size_t length; } deciding[] = {
        {"host", 4}, {"connection", 10}, {"x-forwarded-for", 15}, {"purpose", 7},
        {"sec-purpose", 11}, {"x-purpose", 9}, {"x-moz", 5}, {"content-length", 14},
        {"transfer-encoding", 17}};
    int has_host = 0;
    while (at < end) {
        const char *name = at;
        while (at < end && *at > ' ' && *at != ':' && *at < 127) at++;
        size_t length = (size_t)(at - name);
        if (at == end || *at != ':' || !length) return 0;
        for (at++; *at == ' ' || *at == '\t';) at++;
        const char *value = at;
        while ((uint8_t)*at >= ' ' || *at == '\t') at++;
        if (at[0] != '\r' || at[1] != '\n') return 0;
        if (length == 10 && !strncasecmp(name, "user-agent", 10)) {
            *agent = value;
            *agent_length = at - value > 512 ? 512 : (int)(at - value);
        }
        for (size_t i = 0; i < sizeof deciding / sizeof *deciding; i++)
            if (length == deciding[i].length && !strncasecmp(name, deciding[i].name, length)) {
                if (i > 1) return 0; /* the load sends no such thing */
                has_host |= i == 0;
            }
        at += 2;
    }
    return has_host;
}

/* One request at a time: the load does not pipeline. */
static void serve(int fd)
{
    char *in = connections[fd]->in;
    ssize_t n = read(fd, in + connections[fd]->length, ROOM - 1 - connections[fd]->length);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) return;
        close(fd);
        return;
    }
    connections[fd]->length += (size_t)n;
    in[connections[fd]->length] = 0;
    char *end = strstr(in, "\r\n\r\n"), *line_end = strchr(in, '\r');
    if (!end) return;
    const char *agent = "";
    int agent_length = 0;
    if (strncmp(in, "GET /c/", 7) || strncmp(line_end - 9, " HTTP/1.1\r\n", 11) ||
        !headers(line_end + 2, end + 2, &agent, &agent_length))
        say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    else click(fd, in + 7, strcspn(in + 7, " ?\r"), agent, agent_length);
    connections[fd]->length = 0;
}

static void welcome(int door, int poll)
{
    for (;;) {
        int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK), yes = 1;
        if (fd < 0) return;
        if (fd >= MOST_CONNECTIONS) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (!connections[fd]) connections[fd] = malloc(sizeof *connections[fd]);
        connections[fd]->length = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    uint8_t key[64];
    size_t key_length = strlen(argv[2]) / 2;
    for (size_t i = 0; i < key_length && i < 64; i++) {
        unsigned byte;
        if (sscanf(argv[2] + 2 * i, "%2x", &byte) != 1) return 2;
        key[i] = (uint8_t)byte;
    }
    set_key(key, key_length);
    set_crc();
    set_digits();
    read_table(argv[3]);
    int journal = open(argv[4], O_CREAT | O_WRONLY | O_APPEND, 0640);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1, poll = epoll_create1(0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(door, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    if (journal < 0 || bind(door, (struct sockaddr *)&here, sizeof here) || listen(door, 2048))
        return 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = door}, events[BATCH];
    epoll_ctl(poll, EPOLL_CTL_ADD, door, &event);
    for (;;) {
        int n = epoll_wait(poll, events, BATCH, 1000);
        time_t now = time(NULL);
        struct tm parts;
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == door) welcome(door, poll);
            else serve(events[i].data.fd);
        }
        if (recorded && (write(journal, records, recorded) != (ssize_t)recorded || fdatasync(journal)))
            return 1;
        recorded = 0;
        for (int i = 0; i < answered; i++) /* an answer always fits the socket's empty buffer */
            if (write(answers[i].fd, answers[i].out, (size_t)answers[i].length) < 0 && errno != EPIPE)
                close(answers[i].fd);
        answered = 0;
    }
}
