// How a session comes up: its listeners, and the sockets of its flows.

#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <algorithm>

#include "engine/facts.h"
#include "engine/flow_setup.h"
#include "engine/session.h"

namespace cnb {

namespace {

// A CRR server must not let a silent connection hold a blocking worker; netperf's own servers hang here.
constexpr int kServerIoTimeoutMs = 5'000;

}  // namespace

// Blocking workers and the admission of long-lived flows share one listener. Other workers of CRR get one each
// (SO_REUSEPORT), so that the kernel spreads the connections and no two workers wake for one. Requests to io_uring wait
// in the kernel by themselves; on a non-blocking socket they would not.
void Session::open_listeners() {
  if (plan_.udp) {
    const Address to = Address::parse(plan_.address, plan_.port);
    listeners_.push_back(std::make_shared<Fd>(receive_on(to, socket_options(plan_))));
    port_ = Address::local_of(listeners_[0]->get()).port();
    return;
  }
  const bool crr = plan_.loop == LoopKind::crr;
  const bool one_each = crr && plan_.engine != Engine::block && plan_.workers() > 1;
  ListenOptions options;
  options.nonblocking = !crr || plan_.nonblocking();
  options.timeout_ms = crr && plan_.engine == Engine::block ? kServerIoTimeoutMs : 0;
  Address at = Address::parse(plan_.address, plan_.port);
  if (one_each && plan_.port != 0) {
    // Sockets that share a port would also share it with another session of this user; this one finds that out.
    listen_on(at, socket_options(plan_), options);
  }
  options.reuse_port = one_each;
  for (size_t i = 0; i < (one_each ? plan_.workers() : 1); i++) {
    listeners_.push_back(std::make_shared<Fd>(listen_on(at, socket_options(plan_), options)));
    at.set_port(Address::local_of(listeners_[0]->get()).port());
  }
  port_ = at.port();
}

void Session::bring_up() {
  if (plan_.udp) return bring_up_udp();
  const auto cancelled = [this] { return drain_wake(); };
  if (!plan_.long_lived()) {
    facts_ = socket_facts_of(plan_.role == Role::server ? listeners_[0]->get() : sample_socket().get(), false);
    // Before a connection stands the kernel tells of its least (TCP_MSS_DEFAULT), which none will have.
    facts_.mss = 0;
    // A foreign server would count it as a transaction.
    if (plan_.role == Role::server || plan_.foreign) return;
    const Fd tried = try_connect(plan_, wake_event_.get(), cancelled);
    if (tried.valid()) facts_.mss = get_int(tried.get(), IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG");
    return;
  }
  if (plan_.role == Role::client) {
    hand_out(connect_flows(plan_, wake_event_.get(), cancelled));
  } else {
    hand_out(admit_flows(plan_, listeners_[0]->get(), wake_event_.get(), cancelled));
    listeners_.clear();
  }
}

void Session::bring_up_udp() {
  const auto cancelled = [this] { return drain_wake(); };
  std::vector<Fd> flows;
  if (plan_.role == Role::client) {
    flows = connect_udp_flows(plan_, wake_event_.get(), cancelled);
  } else if (plan_.foreign) {
    flows.push_back(std::move(*listeners_[0]));
    listeners_.clear();
  } else {
    door_.emplace(plan_, listeners_[0]->get());
    flows = door_->admit(wake_event_.get(), cancelled);
  }
  for (const Fd& flow : flows) settle_datagrams(flow.get());
  if (!flows.empty()) facts_ = socket_facts_of(flows[0].get(), true);
  hand_out(std::move(flows));
}

// What of the plan depends on the path, and what the kernel is to do with the flow's datagrams.
void Session::settle_datagrams(int fd) {
  // Of loopback's MTU a receive buffer of usual size holds two.
  constexpr size_t kJumbo = 8'972;
  const bool sends = plan_.loop == LoopKind::send;
  const size_t whole = whole_datagram(fd);
  if (sends && plan_.send_size == 0) plan_.send_size = whole == 0 ? 1 : std::min(whole, kJumbo);
  if (sends && plan_.udp->gso) {
    const std::string size = "UDP_SEGMENT " + std::to_string(plan_.send_size);
    if (plan_.send_size > whole) throw SystemError("setsockopt", EMSGSIZE, size);
    set_int(fd, SOL_UDP, UDP_SEGMENT, static_cast<int>(plan_.send_size), size.c_str());
  }
  if (!sends && plan_.udp->gro) set_int(fd, SOL_UDP, UDP_GRO, 1, "UDP_GRO");
}

// A socket with the options that each CRR connection of this client will have.
Fd Session::sample_socket() const {
  Fd fd = tcp_socket(Address::parse(plan_.address, 0).family(), true);
  apply(fd.get(), socket_options(plan_));
  return fd;
}

}  // namespace cnb
