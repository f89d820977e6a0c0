#include "io/source_ports.h"

#include "core/error.h"

namespace cnb {

SourcePorts::SourcePorts(const Plan& plan, size_t flow)
    : addresses_(plan), any_(Address::parse(plan.address.find(':') == std::string::npos ? "0.0.0.0" : "::", 0)), turn_(flow) {
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
  const size_t turn = turn_++;
  if (ports_ == 0) return addresses_.bind_without_port(fd, turn);
  // All ports of one address before the next address.
  Address from = addresses_.empty() ? any_ : addresses_.at(turn / ports_);
  from.set_port(static_cast<uint16_t>(first_ + turn % ports_));
  // Lets bind pass over a connection in TIME_WAIT; whether connect may reuse it is the kernel's decision.
  set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  if (bind(fd, from.raw(), from.size()) != 0) throw_errno("bind", from.text());
}

}  // namespace cnb
