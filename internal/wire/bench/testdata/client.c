/* What the clients of `make bench-wire` are measured against.
 *
 *   client floor CORE PORT STREAMS WARM SECONDS
 *
 * opens STREAMS connections, sends a request over each and only reads what
 * comes: epoll, edge-triggered, one recv() for each event that fills less than
 * its buffer. After WARM seconds of events it measures for SECONDS and prints
 * the CPU seconds of this process and how many events it read in them.
 *
 *   client spin CORE
 *
 * keeps a core busy until it is killed or its standard input ends. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
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

#define WIRE_EVENT 279 /* bytes of an event with its chunk's line and end */

static void die(const char *what) {
	perror(what);
	exit(1);
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu(double *own) {
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	*own = u.ru_utime.tv_sec + u.ru_utime.tv_usec / 1e6;
	return u.ru_utime.tv_sec + u.ru_utime.tv_usec / 1e6 + u.ru_stime.tv_sec + u.ru_stime.tv_usec / 1e6;
}

static int spin(void) {
	struct pollfd p = {.fd = 0, .events = POLLIN};
	volatile unsigned long x = 0;
	for (;;) {
		for (int i = 0; i < 20000000; i++)
			x++;
		if (poll(&p, 1, 0) > 0)
			return 0;
	}
}

int main(int argc, char **argv) {
	cpu_set_t set;
	CPU_ZERO(&set);
	if (argc < 3)
		return 2;
	CPU_SET(atoi(argv[2]), &set);
	if (sched_setaffinity(0, sizeof set, &set))
		die("sched_setaffinity");
	if (!strcmp(argv[1], "spin"))
		return spin();
	if (argc != 7)
		return 2;
	int n = atoi(argv[4]);
	double warm = atof(argv[5]), seconds = atof(argv[6]);
	struct rlimit l;
	rlim_t need = n + 100;
	if (getrlimit(RLIMIT_NOFILE, &l))
		die("getrlimit");
	if (l.rlim_cur < need) {
		l.rlim_cur = need;
		if (l.rlim_max < need)
			l.rlim_max = need;
		if (setrlimit(RLIMIT_NOFILE, &l))
			die("raising the limit of open files");
	}

	static const char req[] = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(atoi(argv[3]))};
	int ep = epoll_create1(EPOLL_CLOEXEC), one = 1;
	int *fds = calloc(n, sizeof *fds);
	for (int i = 0; i < n; i++) {
		int fd = fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (void *)&a, sizeof a))
			die("connect");
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
		struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	}
	for (int i = 0; i < n; i++)
		if (send(fds[i], req, sizeof req - 1, 0) < 0)
			die("send");

	static char buf[65536], ctl[128];
	struct epoll_event evs[256];
	long long bytes = 0, from = 0;
	double begin = 0, cpu0 = 0, own0 = 0, own = 0, t0 = 0;
	int measuring = 0;
	long long heads = (long long)n * 200;
	for (;;) {
		int k = epoll_wait(ep, evs, 256, 1000);
		for (int i = 0; i < k; i++) {
			struct iovec iov = {buf, sizeof buf};
			struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof ctl};
			ssize_t r = recvmsg(evs[i].data.fd, &m, MSG_DONTWAIT);
			if (r > 0)
				bytes += r;
		}
		double t = now();
		if (begin == 0 && bytes > heads)
			begin = t;
		if (begin != 0 && !measuring && t >= begin + warm)
			measuring = 1, from = bytes, cpu0 = cpu(&own0), t0 = t;
		if (measuring && t >= t0 + seconds) {
			double all = cpu(&own) - cpu0;
			printf("{\"cpu\":%.6f,\"own\":%.6f,\"events\":%lld,\"span\":%.3f}\n", all, own - own0, (bytes - from) / WIRE_EVENT, t - t0);
			return 0;
		}
	}
}
