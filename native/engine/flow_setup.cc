#include "engine/flow_setup.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <unordered_map>

#include "core/clock.h"
#include "core/epoll_set.h"
#include "core/error.h"

namespace cnb {

namespace {

// Connects under way at a time: enough to hide a long round trip, few enough not to overrun the peer's accept queue,
// where a dropped SYN would cost a second.
constexpr size_t kConnecting = 512;
// Connections that have not shown their cookie yet, and how long they may take. They hold no more than a descriptor.
constexpr size_t kUnproven = 1024;
constexpr uint64_t kProofNs = 3'000'000'000;
constexpr uint64_t kWakeTag = UINT64_MAX;
constexpr uint64_t kListenerTag = UINT64_MAX - 1;

using Preamble = std::array<uint8_t, kPreambleBytes>;

Preamble preamble_of(const Plan& plan, size_t flow) {
  Preamble bytes;
  std::copy(plan.cookie.begin(), plan.cookie.end(), bytes.begin());
  const uint32_t number = htonl(static_cast<uint32_t>(flow));
  std::memcpy(bytes.data() + plan.cookie.size(), &number, sizeof number);
  return bytes;
}

void send_preamble(int fd, const Plan& plan, size_t flow, const Address& peer) {
  const Preamble bytes = preamble_of(plan, flow);
  // A fresh socket's send buffer always has room for these.
  if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    throw_errno("send", peer.text());
  }
}

class Admission {
 public:
  Admission(const Plan& plan, int listener) : plan_(plan), listener_(listener), flows_(plan.flows) {}

  bool complete() const { return admitted_ == plan_.flows; }
  std::vector<Fd> take() { return std::move(flows_); }

  void accept_all(EpollSet& set) {
    for (;;) {
      Address peer;
      socklen_t size = Address::capacity();
      const int fd = accept4(listener_, peer.raw(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
        throw_errno("accept4");
      }
      // At the cap the newest goes: strangers cannot push out a flow that is about to prove itself.
      Fd owned(fd);
      if (plan_.foreign) {
        if (!complete() && allows(peer)) flows_[admitted_++] = std::move(owned);
        continue;
      }
      if (unproven_.size() >= kUnproven) continue;
      set.add(fd, EPOLLIN, static_cast<uint64_t>(fd));
      unproven_.emplace(fd, Unproven{std::move(owned), {}, 0, now_ns() + kProofNs});
      order_.push_back(fd);
    }
  }

  void read_proof(EpollSet& set, int fd) {
    const auto found = unproven_.find(fd);
    if (found == unproven_.end()) return;
    Unproven& one = found->second;
    // Never past the preamble: what follows belongs to the loop.
    const ssize_t n = recv(fd, one.bytes.data() + one.have, one.bytes.size() - one.have, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) one.have += static_cast<size_t>(n);
    if (n > 0 && one.have < one.bytes.size()) return;
    if (n > 0) admit(set, one);
    unproven_.erase(found);
  }

  void expire() {
    const uint64_t now = now_ns();
    while (!order_.empty()) {
      const auto found = unproven_.find(order_.front());
      if (found != unproven_.end() && found->second.deadline_ns > now) return;
      if (found != unproven_.end()) unproven_.erase(found);
      order_.pop_front();
    }
  }

 private:
  struct Unproven {
    Fd fd;
    Preamble bytes;
    size_t have;
    uint64_t deadline_ns;
  };

  // Foreign peers have nothing to show but where they come from.
  bool allows(const Address& peer) const {
    return plan_.addresses.empty() || std::any_of(plan_.addresses.begin(), plan_.addresses.end(), [&](const auto& one) {
             return Address::parse(one, 0).same_host(peer);
           });
  }

  void admit(EpollSet& set, Unproven& one) {
    uint32_t number;
    std::memcpy(&number, one.bytes.data() + plan_.cookie.size(), sizeof number);
    number = ntohl(number);
    if (!same_cookie(one.bytes.data(), plan_.cookie) || number >= flows_.size() || flows_[number].valid()) return;
    set.remove(one.fd.get());
    flows_[number] = std::move(one.fd);
    admitted_++;
  }

  const Plan& plan_;
  int listener_;
  std::vector<Fd> flows_;
  size_t admitted_ = 0;
  std::unordered_map<int, Unproven> unproven_;
  // Descriptors by age; one that was admitted or closed since is passed over.
  std::deque<int> order_;
};

}  // namespace

bool same_cookie(const uint8_t* bytes, const Cookie& cookie) {
  uint8_t difference = 0;
  for (size_t i = 0; i < cookie.size(); i++) difference = static_cast<uint8_t>(difference | (bytes[i] ^ cookie[i]));
  return difference == 0;
}

SocketOptions socket_options(const Plan& plan) {
  if (plan.udp) return {plan.sndbuf, plan.rcvbuf, false, "", 0, plan.tos, plan.socket_options};
  return {plan.sndbuf, plan.rcvbuf, plan.no_delay, plan.congestion, plan.mss, plan.tos, plan.socket_options};
}

SourceAddresses::SourceAddresses(const Plan& plan) {
  for (const std::string& address : plan.addresses) addresses_.push_back(Address::parse(address, 0));
}

void SourceAddresses::bind_without_port(int fd, size_t turn) const {
  if (addresses_.empty()) return;
  const Address& from = at(turn);
  set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, "IP_BIND_ADDRESS_NO_PORT");
  if (bind(fd, from.raw(), from.size()) != 0) throw_errno("bind", from.host());
}

void SourceAddresses::bind_flow(int fd, const Plan& plan, size_t turn) const {
  if (!plan.foreign || plan.local_ports.first == 0) return bind_without_port(fd, turn);
  const bool v6 = plan.address.find(':') != std::string::npos;
  Address from = empty() ? Address::parse(v6 ? "::" : "0.0.0.0", 0) : at(0);
  from.set_port(plan.local_ports.first);
  set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  if (bind(fd, from.raw(), from.size()) != 0) throw_errno("bind", from.text());
}

namespace {

std::vector<Fd> connect_all(const Plan& plan, size_t count, bool prove, int wake,
                            const std::function<bool()>& cancelled) {
  const Address peer = Address::parse(plan.address, plan.port);
  const SocketOptions options = socket_options(plan);
  const SourceAddresses sources(plan);
  const Deadline deadline(plan.setup_timeout_ms);
  std::vector<Fd> flows(count);
  EpollSet set;
  set.add(wake, EPOLLIN, kWakeTag);
  size_t started = 0;
  size_t connected = 0;
  while (connected < count) {
    for (; started < count && started - connected < kConnecting; started++) {
      Fd fd = tcp_socket(peer.family(), true);
      apply(fd.get(), options);
      sources.bind_flow(fd.get(), plan, started);
      if (connect(fd.get(), peer.raw(), peer.size()) != 0 && errno != EINPROGRESS) throw_errno("connect", peer.text());
      set.add(fd.get(), EPOLLOUT, started);
      flows[started] = std::move(fd);
    }
    if (deadline.left_ns() == 0) throw SystemError("connect", ETIMEDOUT, peer.text());
    for (const epoll_event& event : set.wait(deadline.left_ms())) {
      if (event.data.u64 == kWakeTag) {
        if (cancelled()) return {};
        continue;
      }
      const size_t flow = event.data.u64;
      const int fd = flows[flow].get();
      if (const int err = get_int(fd, SOL_SOCKET, SO_ERROR, "SO_ERROR")) throw SystemError("connect", err, peer.text());
      if (prove) send_preamble(fd, plan, flow, peer);
      set.remove(fd);
      connected++;
    }
  }
  return flows;
}

}  // namespace

std::vector<Fd> connect_flows(const Plan& plan, int wake, const std::function<bool()>& cancelled) {
  return connect_all(plan, plan.flows, !plan.foreign, wake, cancelled);
}

Fd try_connect(const Plan& plan, int wake, const std::function<bool()>& cancelled) {
  std::vector<Fd> connections = connect_all(plan, 1, false, wake, cancelled);
  return connections.empty() ? Fd() : std::move(connections[0]);
}

std::vector<Fd> admit_flows(const Plan& plan, int listener, int wake, const std::function<bool()>& cancelled) {
  const Deadline deadline(plan.setup_timeout_ms);
  constexpr int kSweepMs = 500;
  Admission admission(plan, listener);
  EpollSet set;
  set.add(wake, EPOLLIN, kWakeTag);
  set.add(listener, EPOLLIN, kListenerTag);
  while (!admission.complete()) {
    if (deadline.left_ns() == 0) throw SystemError("accept", ETIMEDOUT, Address::local_of(listener).text());
    for (const epoll_event& event : set.wait(std::min(deadline.left_ms(), kSweepMs))) {
      if (event.data.u64 == kWakeTag) {
        if (cancelled()) return {};
      } else if (event.data.u64 == kListenerTag) {
        admission.accept_all(set);
      } else {
        admission.read_proof(set, static_cast<int>(event.data.u64));
      }
    }
    admission.expire();
  }
  return admission.take();
}

}  // namespace cnb
