/* The server of `make bench-wire`: answers STREAMS chat requests at once and
 * sends RATE events a second in all, round robin, for SECONDS, each with the
 * time of CLOCK_MONOTONIC right before its send() in it. One thread, which
 * spins on the clock: what is measured is the client.
 *
 *   server CORE STREAMS RATE SECONDS
 *
 * prints its port, serves one round on those connections, prints what it did
 * (events, sends that the socket buffer refused, how late the last was) and
 * ends when the client closes.
 *
 *   server CORE replies DELAY_US
 *
 * prints its port and answers every request, DELAY_US after it came, with a
 * stream of one event, until its standard input ends. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENT 272 /* bytes of an event, the chunk's own line and end aside */

static long long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
	perror(what);
	exit(1);
}

static void pin(int core) {
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		die("sched_setaffinity");
}

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n";
static const char tail[] = "7d\r\ndata: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":"
			   "[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n"
			   "\r\n0\r\n\r\n";

/* event makes a chunk with a hole of 20 digits for the time; its place is
 * returned. */
static char *event(char *buf, int *len) {
	char json[EVENT + 64];
	int n = snprintf(json, sizeof json,
			 "data: {\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\","
			 "\"created\":1700000000,\"model\":\"some-model\",\"choices\":[{\"index\":0,\"delta\":"
			 "{\"content\":\"%020lld\"},\"logprobs\":null,\"finish_reason\":null}],\"pad\":\"", 0LL);
	while (n < EVENT - 5)
		json[n++] = 'p';
	memcpy(json + n, "\"}\n\n", 5);
	n += 4;
	*len = sprintf(buf, "%x\r\n%s\r\n", n, json);
	return strstr(buf, "\"content\":\"") + strlen("\"content\":\"");
}

/* requests waits until every one of n connections has sent a whole request. */
static void requests(int ep, int n, const int *fds, char *half) {
	int left = n;
	char buf[65536];
	struct epoll_event evs[256];
	memset(half, 0, n);
	while (left > 0) {
		int k = epoll_wait(ep, evs, 256, -1);
		for (int i = 0; i < k; i++) {
			int s = evs[i].data.u32;
			ssize_t r = recv(fds[s], buf, sizeof buf, MSG_DONTWAIT);
			if (r == 0 || (r < 0 && errno != EAGAIN))
				exit(0); /* the client went */
			if (r < 0)
				continue;
			/* A request ends with the brace of its body. */
			if (buf[r - 1] == '}' && !half[s]) {
				half[s] = 1;
				left--;
				if (send(fds[s], head, sizeof head - 1, MSG_NOSIGNAL) < 0)
					die("send head");
			}
		}
	}
}

static int listening(int flags) {
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t alen = sizeof a;
	if (l < 0 || bind(l, (void *)&a, sizeof a) || listen(l, 65535) || getsockname(l, (void *)&a, &alen))
		die("listen");
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return l;
}

static void files(int n) {
	struct rlimit l;
	rlim_t need = n + 100;
	if (getrlimit(RLIMIT_NOFILE, &l))
		die("getrlimit");
	if (l.rlim_cur >= need)
		return;
	l.rlim_cur = need;
	if (l.rlim_max < need)
		l.rlim_max = need;
	if (setrlimit(RLIMIT_NOFILE, &l))
		die("raising the limit of open files");
}

/* replies answers each request after a delay. All wait equally long, so that
 * what is due is a queue. */
static int replies(long long delay) {
	enum { SLOTS = 1 << 18 };
	static struct { long long due; int fd; } queue[SLOTS];
	unsigned first = 0, last = 0;
	int l = listening(SOCK_NONBLOCK), ep = epoll_create1(EPOLL_CLOEXEC), one = 1;
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = l}, evs[256];
	epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev);
	ev.data.fd = 0;
	epoll_ctl(ep, EPOLL_CTL_ADD, 0, &ev);
	char buf[65536], answer[2048], *a = answer;
	int len;
	a += sprintf(a, "%s", head);
	event(a, &len);
	a += len;
	a += sprintf(a, "%s", tail);
	for (;;) {
		int k = epoll_wait(ep, evs, 256, 0);
		long long t = now();
		for (int i = 0; i < k; i++) {
			int fd = evs[i].data.fd;
			if (fd == 0 && read(0, buf, sizeof buf) <= 0)
				return 0;
			if (fd == l) {
				int c;
				while ((c = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
					setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
					ev.data.fd = c;
					epoll_ctl(ep, EPOLL_CTL_ADD, c, &ev);
				}
			} else if (fd != 0) {
				ssize_t r = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
				if (r == 0 || (r < 0 && errno != EAGAIN))
					close(fd);
				else if (r > 0 && buf[r - 1] == '}') {
					queue[last % SLOTS].due = t + delay;
					queue[last++ % SLOTS].fd = fd;
				}
			}
		}
		for (t = now(); first != last && queue[first % SLOTS].due <= t; first++)
			send(queue[first % SLOTS].fd, answer, a - answer, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

int main(int argc, char **argv) {
	if (argc < 4) {
		fprintf(stderr, "usage: server CORE STREAMS RATE SECONDS | server CORE replies DELAY_US\n");
		return 2;
	}
	pin(atoi(argv[1]));
	if (!strcmp(argv[2], "replies")) {
		files(12000);
		return replies(atoll(argv[3]) * 1000);
	}
	int n = atoi(argv[2]), one = 1;
	double rate = atof(argv[3]), seconds = atof(argv[4]);
	files(n);
	int l = listening(0);
	int *fds = calloc(n, sizeof *fds), ep = epoll_create1(EPOLL_CLOEXEC);
	char *half = malloc(n);
	for (int i = 0; i < n; i++) {
		if ((fds[i] = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
			die("accept");
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct epoll_event ev = {.events = EPOLLIN, .data.u32 = i};
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev);
	}
	requests(ep, n, fds, half);
	/* A pause in which a client can look at its memory. */
	usleep(1500000);

	char buf[1024], digits[32];
	int len;
	char *at = event(buf, &len);
	long long total = (long long)(rate * seconds) / n * n, refused = 0, worst = 0;
	long long t0 = now();
	for (long long k = 0; k < total; k++) {
		long long due = t0 + (long long)(k * 1e9 / rate), t;
		while ((t = now()) < due)
			;
		if (t - due > worst)
			worst = t - due;
		/* After a long absence the rest is put off, not sent in a rush: a
		 * burst would bring the next event of a stream too early. */
		if (t - due > 2000000)
			t0 += t - due;
		sprintf(digits, "%020lld", now());
		memcpy(at, digits, 20);
		if (send(fds[k % n], buf, len, MSG_DONTWAIT | MSG_NOSIGNAL) != len)
			refused++;
	}
	long long took = now() - t0;
	for (int i = 0; i < n; i++)
		if (send(fds[i], tail, sizeof tail - 1, MSG_NOSIGNAL) < 0)
			refused++;
	printf("{\"events\":%lld,\"refused\":%lld,\"worst_late_us\":%lld,\"rate\":%.0f}\n", total, refused, worst / 1000, total * 1e9 / took);
	fflush(stdout);
	/* The client closes first. */
	for (int i = 0; i < n; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.u32 = i};
		epoll_ctl(ep, EPOLL_CTL_MOD, fds[i], &ev);
	}
	for (int left = n; left > 0;) {
		struct epoll_event evs[256];
		int k = epoll_wait(ep, evs, 256, 20000);
		if (k <= 0)
			return 0;
		for (int i = 0; i < k; i++) {
			int s = evs[i].data.u32;
			if (recv(fds[s], buf, sizeof buf, MSG_DONTWAIT) <= 0) {
				epoll_ctl(ep, EPOLL_CTL_DEL, fds[s], NULL);
				left--;
			}
		}
	}
	return 0;
}
