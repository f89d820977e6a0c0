#include "engine/udp_setup.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/clock.h"
#include "core/error.h"
#include "engine/flow_setup.h"

namespace cnb {

namespace {

// Flows that a client brings up at a time: what the listener's receive buffer holds even where it is small.
constexpr size_t kConnecting = 128;
// What has not been answered is said again after this.
constexpr uint64_t kAgainNs = 100'000'000;
// Datagrams that the door looks at before it looks elsewhere.
constexpr int kAtOnce = 64;
constexpr uint64_t kWakeTag = UINT64_MAX;
constexpr uint64_t kListenerTag = UINT64_MAX - 1;

// What a hello says, and its offsets: cookie, flow (big endian), token (as its maker wrote it), step.
enum Step : uint8_t { kHello, kChallenge, kProof, kAdmitted };
constexpr size_t kFlowAt = 16;
constexpr size_t kTokenAt = 20;
constexpr size_t kStepAt = 28;

using Hello = std::array<uint8_t, kHelloBytes>;

Hello hello_of(const Plan& plan, size_t flow, uint64_t token, Step step) {
  Hello hello;
  std::copy(plan.cookie.begin(), plan.cookie.end(), hello.begin());
  const uint32_t number = htonl(static_cast<uint32_t>(flow));
  std::memcpy(hello.data() + kFlowAt, &number, sizeof number);
  std::memcpy(hello.data() + kTokenAt, &token, sizeof token);
  hello[kStepAt] = step;
  return hello;
}

size_t flow_of(const uint8_t* hello) {
  uint32_t number;
  std::memcpy(&number, hello + kFlowAt, sizeof number);
  return ntohl(number);
}

uint64_t token_of(const uint8_t* hello) {
  uint64_t token;
  std::memcpy(&token, hello + kTokenAt, sizeof token);
  return token;
}

bool transient(int err) { return err == EAGAIN || err == EINTR || err == ENOBUFS || err == ENOMEM; }

// The client's side: flows in turn, each from its hello to its admission.
class Caller {
 public:
  Caller(const Plan& plan, int wake)
      : plan_(plan),
        peer_(Address::parse(plan.address, plan.port)),
        options_(socket_options(plan)),
        sources_(plan),
        flows_(plan.flows) {
    set_.add(wake, EPOLLIN, kWakeTag);
  }

  std::vector<Fd> call(const std::function<bool()>& cancelled) {
    const Deadline deadline(plan_.setup_timeout_ms);
    while (admitted_ < flows_.size()) {
      while (started_ < flows_.size() && started_ - admitted_ < kConnecting) start(started_++);
      if (deadline.left_ns() == 0) throw SystemError("connect", ETIMEDOUT, peer_.text());
      for (const epoll_event& event : set_.wait(std::min(deadline.left_ms(), kLookMs))) {
        if (event.data.u64 != kWakeTag) {
          hear(event.data.u64);
        } else if (cancelled()) {
          return {};
        }
      }
      repeat();
    }
    std::vector<Fd> all;
    for (Flow& flow : flows_) all.push_back(std::move(flow.fd));
    return all;
  }

 private:
  static constexpr int kLookMs = 20;

  struct Flow {
    Fd fd;
    Step step = kHello;
    uint64_t token = 0;
    uint64_t said_ns = 0;
  };

  void start(size_t i) {
    Flow& flow = flows_[i];
    flow.fd = udp_socket(peer_.family(), true);
    const int fd = flow.fd.get();
    apply(fd, options_);
    sources_.bind_flow(fd, plan_, i);
    if (connect(fd, peer_.raw(), peer_.size()) != 0) throw_errno("connect", peer_.text());
    if (plan_.foreign) {
      admitted_++;
      return;
    }
    set_.add(fd, EPOLLIN, i);
    say(i);
  }

  void say(size_t i) {
    Flow& flow = flows_[i];
    const Hello hello = hello_of(plan_, i, flow.token, flow.step);
    flow.said_ns = now_ns();
    if (send(flow.fd.get(), hello.data(), hello.size(), MSG_NOSIGNAL) < 0 && !transient(errno)) {
      throw_errno("connect", peer_.text());
    }
  }

  void hear(size_t i) {
    Flow& flow = flows_[i];
    Hello hello;
    const ssize_t n = recv(flow.fd.get(), hello.data(), hello.size(), MSG_TRUNC);
    if (n < 0 && !transient(errno)) throw_errno("connect", peer_.text());
    if (n < 0 || !is_hello(hello.data(), static_cast<size_t>(n), plan_.cookie) || flow_of(hello.data()) != i) return;
    if (hello[kStepAt] == kChallenge && flow.step == kHello) {
      flow.step = kProof;
      flow.token = token_of(hello.data());
      say(i);
    } else if (hello[kStepAt] == kAdmitted && flow.step == kProof) {
      flow.step = kAdmitted;
      set_.remove(flow.fd.get());
      admitted_++;
    }
  }

  void repeat() {
    const uint64_t now = now_ns();
    for (size_t i = 0; i < started_; i++) {
      if (flows_[i].step != kAdmitted && !plan_.foreign && now - flows_[i].said_ns >= kAgainNs) say(i);
    }
  }

  const Plan& plan_;
  const Address peer_;
  const SocketOptions options_;
  const SourceAddresses sources_;
  std::vector<Flow> flows_;
  EpollSet set_;
  size_t started_ = 0;
  size_t admitted_ = 0;
};

}  // namespace

bool is_hello(const uint8_t* data, size_t size, const Cookie& cookie) {
  return size == kHelloBytes && same_cookie(data, cookie);
}

std::vector<Fd> connect_udp_flows(const Plan& plan, int wake, const std::function<bool()>& cancelled) {
  return Caller(plan, wake).call(cancelled);
}

UdpDoor::UdpDoor(const Plan& plan, int listener)
    : plan_(plan), listener_(listener), at_(Address::local_of(listener)), visitors_(plan.flows), flows_(plan.flows) {
  set_.add(listener, EPOLLIN, kListenerTag);
}

std::vector<Fd> UdpDoor::admit(int wake, const std::function<bool()>& cancelled) {
  const Deadline deadline(plan_.setup_timeout_ms);
  EpollSet both;
  both.add(wake, EPOLLIN, kWakeTag);
  both.add(fd(), EPOLLIN, kListenerTag);
  while (admitted_ < plan_.flows) {
    if (deadline.left_ns() == 0) throw SystemError("accept", ETIMEDOUT, at_.text());
    for (const epoll_event& event : both.wait(deadline.left_ms())) {
      if (event.data.u64 == kListenerTag) {
        answer();
      } else if (cancelled()) {
        return {};
      }
    }
  }
  return std::move(flows_);
}

void UdpDoor::answer() {
  for (const epoll_event& event : set_.wait(0)) {
    if (event.data.u64 != kListenerTag) {
      answer_admitted(event.data.u64);
      continue;
    }
    for (int i = 0; i < kAtOnce; i++) answer_stranger();
  }
}

void UdpDoor::answer_stranger() {
  Hello hello;
  Address peer;
  socklen_t size = Address::capacity();
  const ssize_t n = recvfrom(listener_, hello.data(), hello.size(), MSG_TRUNC | MSG_DONTWAIT, peer.raw(), &size);
  if (n < 0 || !is_hello(hello.data(), static_cast<size_t>(n), plan_.cookie)) return;
  const size_t flow = flow_of(hello.data());
  if (flow >= visitors_.size()) return;
  Visitor& visitor = visitors_[flow];
  const bool same = visitor.token != 0 && visitor.address.text() == peer.text();
  if (visitor.socket >= 0) return;
  if (hello[kStepAt] == kHello) {
    greet(visitor, peer, hello.data());
  } else if (hello[kStepAt] == kProof && same && token_of(hello.data()) == visitor.token) {
    admit_one(flow);
  }
}

void UdpDoor::greet(Visitor& visitor, const Address& peer, const uint8_t* hello) {
  if (visitor.token == 0 || visitor.address.text() != peer.text()) {
    visitor.address = peer;
    checked(static_cast<int>(getrandom(&visitor.token, sizeof visitor.token, 0)), "getrandom");
    visitor.token |= 1;  // 0 is none
  }
  const Hello challenge = hello_of(plan_, flow_of(hello), visitor.token, kChallenge);
  sendto(listener_, challenge.data(), challenge.size(), MSG_NOSIGNAL, peer.raw(), peer.size());
}

// From here on the kernel gives the flow's socket what its client sends, and nothing else.
void UdpDoor::admit_one(size_t flow) {
  Visitor& visitor = visitors_[flow];
  Fd fd = udp_socket(at_.family(), true);
  if (at_.family() == AF_INET6) set_int(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY");
  apply(fd.get(), socket_options(plan_));
  share_port(fd.get());
  if (bind(fd.get(), at_.raw(), at_.size()) != 0) throw_errno("bind", at_.text());
  const Address& peer = visitor.address;
  if (connect(fd.get(), peer.raw(), peer.size()) != 0) throw_errno("connect", peer.text());
  // What others sent in between.
  uint8_t byte;
  while (recv(fd.get(), &byte, sizeof byte, MSG_DONTWAIT) >= 0) {
  }
  visitor.socket = fd.get();
  set_.add(fd.get(), EPOLLIN, flow);
  flows_[flow] = std::move(fd);
  admitted_++;
  const Hello done = hello_of(plan_, flow, visitor.token, kAdmitted);
  send(visitor.socket, done.data(), done.size(), MSG_NOSIGNAL);
}

// Looks before it takes: traffic that comes before this side's workers have begun is theirs.
void UdpDoor::answer_admitted(size_t flow) {
  const int fd = visitors_[flow].socket;
  Hello hello;
  const ssize_t n = recv(fd, hello.data(), hello.size(), MSG_TRUNC | MSG_DONTWAIT | MSG_PEEK);
  if (n < 0) return;
  if (!is_hello(hello.data(), static_cast<size_t>(n), plan_.cookie)) {
    set_.remove(fd);
    return;
  }
  recv(fd, hello.data(), hello.size(), MSG_DONTWAIT);
  const Hello done = hello_of(plan_, flow, visitors_[flow].token, kAdmitted);
  send(fd, done.data(), done.size(), MSG_NOSIGNAL);
}

}  // namespace cnb
