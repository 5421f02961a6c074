// udp_echo ADDR PORT [BATCH]: sends each datagram back, with the bit of an answer set: what the kernel lets pass on this machine, for who looks at
// nothing. BATCH datagrams with each call of the kernel (1: recvfrom and sendto).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { kMost = 64, kSize = 1500 };

static char bytes[kMost][kSize];
static struct sockaddr_in peers[kMost];
static struct iovec parts[kMost];
static struct mmsghdr all[kMost];

static void one_by_one(int socket) {
  for (;;) {
    socklen_t length = sizeof peers[0];
    ssize_t const size = recvfrom(socket, bytes[0], kSize, 0, (struct sockaddr*)&peers[0], &length);
    if (size < 12) continue;
    bytes[0][2] |= (char)0x80;
    sendto(socket, bytes[0], (size_t)size, 0, (struct sockaddr*)&peers[0], length);
  }
}

static void many_at_once(int socket, unsigned batch) {
  for (;;) {
    for (unsigned i = 0; i < batch; ++i) {
      parts[i] = (struct iovec){bytes[i], kSize};
      all[i].msg_hdr = (struct msghdr){.msg_name = &peers[i], .msg_namelen = sizeof peers[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int const count = recvmmsg(socket, all, batch, MSG_WAITFORONE, NULL);
    for (int i = 0; i < count; ++i) {
      bytes[i][2] |= (char)0x80;
      parts[i].iov_len = all[i].msg_len;
    }
    if (count > 0) sendmmsg(socket, all, (unsigned)count, 0);
  }
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  int const udp = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2])), .sin_addr.s_addr = inet_addr(argv[1])};
  if (bind(udp, (struct sockaddr*)&own, sizeof own) != 0) return perror("bind"), 1;
  unsigned const batch = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
  if (batch > 1) many_at_once(udp, batch < kMost ? batch : kMost);
  one_by_one(udp);
}
