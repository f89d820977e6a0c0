#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/socket.h"

namespace cnb {

enum class Role { client, server };
enum class LoopKind { send, receive, rr, crr };
enum class Engine { block, epoll, spin, uring };
enum class Zerocopy { off, msg, sendfile };
enum class Rx { copy, trunc, zerocopy };
enum class CloseMode { server, client, reset };
enum class Spacing { poisson, constant };

// Of what is a number otherwise.
constexpr int kAutomatic = -1;

// The most that one datagram carries over IPv4 (RFC 768); IPv6 has room for 20 bytes more, which nobody asks for.
constexpr size_t kMaxDatagram = 65'507;
// Room for whatever one receive may bring, a train of segments included (UDP_GRO).
constexpr size_t kDatagramRoom = 65'536;

// What a test over UDP has beside the rest.
struct Udp {
  // Datagrams per system call, or with gso trains of them.
  uint32_t batch = 1;
  // Whether the kernel cuts what is sent into datagrams (UDP_SEGMENT), or hands over trains of them (UDP_GRO).
  bool gso = false;
  bool gro = false;
  // RR clients: what has not been answered by then is lost, 0 = never.
  int retry_ms = 0;
};

using Cookie = std::array<uint8_t, 16>;

// One host's half of one test. src/native/surface.ts says what each field means.
struct Plan {
  Role role = Role::client;
  LoopKind loop = LoopKind::send;
  Engine engine = Engine::block;
  uint32_t flows = 1;
  std::vector<int> cpus;
  std::string address;
  uint16_t port = 0;
  std::vector<std::string> addresses;
  // First and last source port to walk, or {0, 0}: the kernel chooses.
  std::pair<uint16_t, uint16_t> local_ports{0, 0};
  Cookie cookie{};
  int sndbuf = 0;
  int rcvbuf = 0;
  bool no_delay = true;
  std::string congestion;
  int mss = 0;
  size_t send_size = 128 * 1024;
  size_t recv_size = 128 * 1024;
  size_t request = 1;
  size_t response = 1;
  uint32_t burst = 0;
  // RR: messages of a flow that are due together go out in one send.
  bool coalesce = false;
  // RR and CRR clients: requests per second of all flows together, 0 = each upon the answer to the one before.
  uint64_t rate = 0;
  Spacing spacing = Spacing::poisson;
  // Senders: payload bits per second of all flows together, 0 = as many as TCP takes.
  uint64_t bandwidth = 0;
  Zerocopy zerocopy = Zerocopy::off;
  Rx rx = Rx::copy;
  // Receivers: SO_RCVLOWAT, 0 leaves it, kAutomatic follows the rate of the flow.
  int rx_lowat = 0;
  // Senders: TCP_NOTSENT_LOWAT, 0 leaves it.
  int notsent_lowat = 0;
  CloseMode close = CloseMode::server;
  int setup_timeout_ms = 10'000;
  // The peer is no cnb-load: nothing but the test's own bytes travels on its connections, and they end in band.
  bool foreign = false;
  // Set on the sockets of flows, and on the listener, whose connections inherit most (those of CRR get no others).
  std::vector<ExtraOption> socket_options;
  // Flows are of UDP; of TCP without.
  std::optional<Udp> udp;
  // The fields from here on count for foreign peers only. Transactions or bytes after which the loop ends, 0 = none.
  uint64_t limit = 0;
  // IP_TOS or IPV6_TCLASS, -1 leaves it.
  int tos = -1;
  // What is sent, over and over; empty = bytes that do not compress.
  std::vector<uint8_t> payload;
  // Each send or receive of a bulk client is timed.
  bool time_calls = false;

  size_t workers() const { return cpus.size(); }
  // Datagrams that one send makes, where the kernel cuts it (UDP_MAX_SEGMENTS of older kernels).
  size_t train() const { return udp && udp->gso ? std::clamp<size_t>(kMaxDatagram / send_size, 1, 64) : 1; }
  // UDP, RR: bytes at the start of request and response that say which request it is.
  size_t tag_bytes() const { return std::min<size_t>({8, request, response}); }
  // Whether sockets are in non-blocking mode.
  bool nonblocking() const { return engine == Engine::epoll || engine == Engine::spin; }
  // Whether requests have a schedule of their own.
  bool open_loop() const { return rate != 0 && role == Role::client; }
  // A flow's part of the bandwidth, bytes per second; the first ones take what is left over.
  uint64_t share_of_bandwidth(size_t flow) const {
    const uint64_t bytes = bandwidth / 8;
    return bytes / flows + (flow < bytes % flows ? 1 : 0);
  }
  // True where flows live for the whole run.
  bool long_lived() const { return loop != LoopKind::crr; }
  // False where a transaction of CRR is nothing but a connection (TCP_CC).
  bool exchanges() const { return request > 0; }
};

// Throws std::invalid_argument naming the field, what was expected and what came. TypeScript has validated before; this
// is the last line for callers that did not.
void validate(const Plan& plan);

}  // namespace cnb
