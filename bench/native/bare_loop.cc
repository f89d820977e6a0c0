// The least a load generator can be: one thread per end that moves bytes and counts them, without control connection,
// histogram, limits or result. What cnb-load lacks to its figure is what cnb-load costs; the rest is the kernel's.
//
//   bare-loop rr|stream client|server HOST PORT FLOWS SECONDS [KEY=VALUE...]
//
// rr: one byte each way, one in flight per flow, by epoll. stream: one flow, with send=BYTES, recv=BYTES, lowat=BYTES,
// trunc=1 (MSG_TRUNC), spin=1 (the receiver never sleeps), congestion=NAME. Both ends take the same arguments. Each
// tells on stdout, from the first byte to the end: transactions or bytes, seconds and CPU seconds.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kBacklog = 4096;
constexpr int kBatch = 256;

struct Options {
  bool rr, client;
  const char* host;
  uint16_t port;
  size_t flows;
  double seconds;
  size_t send = 128 * 1024, recv = 128 * 1024;
  int lowat = 0;
  bool trunc = false, spin = false;
  std::string congestion = {};
};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "bare-loop: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

double now(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct Tally {
  double since = now(CLOCK_MONOTONIC), cpu_since = now(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t units = 0;
  double elapsed() const { return now(CLOCK_MONOTONIC) - since; }
  void tell() const {
    const double cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu_since;
    std::printf("%llu %.6f %.6f\n", static_cast<unsigned long long>(units), elapsed(), cpu);
  }
};

void set(int fd, int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof value) != 0) die("setsockopt");
}

int make_socket(const Options& options) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) die("socket");
  if (options.rr) set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  const std::string& name = options.congestion;
  if (!name.empty() && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), name.size()) != 0) die("congestion");
  return fd;
}

std::vector<int> open_flows(const Options& options) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1) die("inet_pton");
  auto* name = reinterpret_cast<sockaddr*>(&address);
  std::vector<int> flows;
  if (options.client) {
    while (flows.size() < options.flows) {
      flows.push_back(make_socket(options));
      if (connect(flows.back(), name, sizeof address) != 0) die("connect");
    }
    return flows;
  }
  const int listener = make_socket(options);
  set(listener, SOL_SOCKET, SO_REUSEADDR, 1);
  if (bind(listener, name, sizeof address) != 0 || listen(listener, kBacklog) != 0) die("listen");
  while (flows.size() < options.flows) {
    flows.push_back(accept(listener, nullptr, nullptr));
    if (flows.back() < 0) die("accept");
  }
  close(listener);
  return flows;
}

// Until the time is up (client) or a flow ends (server).
void rr(const Options& options, const std::vector<int>& flows) {
  const int epoll = epoll_create1(0);
  for (const int fd : flows) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
  }
  char byte = 0;
  std::vector<epoll_event> events(kBatch);
  // The server waits for the first request, as the client waits for nobody.
  if (!options.client) epoll_wait(epoll, events.data(), kBatch, -1);
  Tally tally;
  if (options.client) {
    for (const int fd : flows) send(fd, &byte, 1, MSG_NOSIGNAL);
  }
  for (;;) {
    const int ready = epoll_wait(epoll, events.data(), kBatch, -1);
    if (options.client && tally.elapsed() >= options.seconds) return tally.tell();
    for (int i = 0; i < ready; i++) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      const ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) return tally.tell();
      tally.units++;
      send(fd, &byte, 1, MSG_NOSIGNAL);
    }
  }
}

void stream_out(const Options& options, int fd) {
  std::vector<char> bytes(options.send, 'x');
  Tally tally;
  while (tally.elapsed() < options.seconds) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0) die("send");
    tally.units += static_cast<uint64_t>(n);
  }
  // What was sent has arrived when the other end closes.
  shutdown(fd, SHUT_WR);
  if (recv(fd, bytes.data(), 1, 0) != 0) die("recv");
  tally.tell();
}

void stream_in(const Options& options, int fd) {
  if (options.lowat > 0) set(fd, SOL_SOCKET, SO_RCVLOWAT, options.lowat);
  std::vector<char> bytes(options.recv);
  const int flags = (options.trunc ? MSG_TRUNC : 0) | (options.spin ? MSG_DONTWAIT : 0);
  Tally tally;
  for (;;) {
    const ssize_t n = recv(fd, bytes.data(), bytes.size(), flags);
    if (n > 0) tally.units += static_cast<uint64_t>(n);
    if (n == 0) return tally.tell();
    if (n < 0 && errno != EAGAIN) die("recv");
  }
}

bool take(Options& options, std::string_view argument) {
  const size_t equals = argument.find('=');
  if (equals == argument.npos) return false;
  const std::string_view key = argument.substr(0, equals);
  const std::string value(argument.substr(equals + 1));
  const long number = std::atol(value.c_str());
  if (key == "congestion") return options.congestion = value, true;
  if (key == "send") return options.send = static_cast<size_t>(number), number > 0;
  if (key == "recv") return options.recv = static_cast<size_t>(number), number > 0;
  if (key == "lowat") return options.lowat = static_cast<int>(number), number >= 0;
  if (key == "trunc") return options.trunc = number != 0, true;
  if (key == "spin") return options.spin = number != 0, true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7)
    return std::fputs("usage: bare-loop rr|stream client|server HOST PORT FLOWS SECONDS [KEY=VALUE...]\n", stderr), 2;
  Options options{
      .rr = std::string_view(argv[1]) == "rr",
      .client = std::string_view(argv[2]) == "client",
      .host = argv[3],
      .port = static_cast<uint16_t>(std::atoi(argv[4])),
      .flows = static_cast<size_t>(std::atol(argv[5])),
      .seconds = std::atof(argv[6]),
  };
  for (int i = 7; i < argc; i++) {
    if (!take(options, argv[i])) return std::fprintf(stderr, "bare-loop: %s?\n", argv[i]), 2;
  }
  const std::vector<int> flows = open_flows(options);
  if (options.rr) {
    rr(options, flows);
  } else if (options.client) {
    stream_out(options, flows[0]);
  } else {
    stream_in(options, flows[0]);
  }
  return 0;
}
