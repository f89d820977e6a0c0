#include "io/source_ports.h"

#include <algorithm>
#include <cerrno>

#include "core/error.h"

namespace cnb {

namespace {

// Ports in a row that other programs may hold before the connection counts as failed.
constexpr size_t kTries = 64;

}  // namespace

SourcePorts::SourcePorts(const Plan& plan, size_t flow)
    : addresses_(plan),
      any_(Address::parse(plan.address.find(':') == std::string::npos ? "0.0.0.0" : "::", 0)),
      turn_(flow) {
  if (plan.local_ports.first == 0) return;
  const size_t range = plan.local_ports.second - plan.local_ports.first + 1u;
  const size_t share = flow % plan.flows;
  if (range >= plan.flows) {
    const size_t begin = range * share / plan.flows;
    first_ = static_cast<uint16_t>(plan.local_ports.first + begin);
    ports_ = range * (share + 1) / plan.flows - begin;
  } else {
    first_ = static_cast<uint16_t>(plan.local_ports.first + share % range);
    ports_ = 1;
  }
}

void SourcePorts::bind_next(int fd) {
  if (ports_ == 0) return addresses_.bind_without_port(fd, turn_++);
  // Lets bind pass over a connection in TIME_WAIT; whether connect may reuse it is the kernel's decision.
  set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  for (size_t tries = std::min(ports_, kTries);; tries--) {
    const Address from = next();
    if (bind(fd, from.raw(), from.size()) == 0) return;
    if (errno != EADDRINUSE || tries == 1) throw_errno("bind", from.text());
  }
}

// All ports of one address before the next address.
Address SourcePorts::next() {
  const size_t turn = turn_++;
  Address from = addresses_.empty() ? any_ : addresses_.at(turn / ports_);
  from.set_port(static_cast<uint16_t>(first_ + turn % ports_));
  return from;
}

}  // namespace cnb
