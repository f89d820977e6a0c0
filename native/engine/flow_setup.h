#pragma once

#include <functional>
#include <vector>

#include "core/fd.h"
#include "core/socket.h"
#include "engine/plan.h"

namespace cnb {

// What a client sends first on every long-lived connection: the session's cookie and the flow's number, big endian.
constexpr size_t kPreambleBytes = 20;

SocketOptions socket_options(const Plan& plan);

// Local addresses that client sockets bind to, in turn. Ports are left to connect(2) (IP_BIND_ADDRESS_NO_PORT), so that
// one address can hold as many connections as there are free 4-tuples.
class SourceAddresses {
 public:
  explicit SourceAddresses(const Plan& plan);

  bool empty() const { return addresses_.empty(); }
  size_t size() const { return addresses_.size(); }
  const Address& at(size_t i) const { return addresses_[i % addresses_.size()]; }
  void bind_without_port(int fd, size_t turn) const;

 private:
  std::vector<Address> addresses_;
};

// Connects plan.flows sockets in parallel and sends each one's preamble; the result is ordered by flow. Throws
// SystemError (ETIMEDOUT when the deadline passes). Returns an empty vector when `wake` became readable and `cancelled`
// says so.
std::vector<Fd> connect_flows(const Plan& plan, int wake, const std::function<bool()>& cancelled);

// Connects once and closes again, so that a data port that cannot be reached is told before the run and not by a result
// without transactions. For CRR, whose flows connect only while traffic runs. Throws like connect_flows.
void try_connect(const Plan& plan, int wake, const std::function<bool()>& cancelled);

// Accepts connections on `listener` until each of plan.flows flows has presented itself with the cookie. Others are
// closed: at once when they show something else, after a short deadline when they show nothing.
std::vector<Fd> admit_flows(const Plan& plan, int listener, int wake, const std::function<bool()>& cancelled);

}  // namespace cnb
