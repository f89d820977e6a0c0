#pragma once

#include <functional>
#include <vector>

#include "core/clock.h"
#include "core/fd.h"
#include "core/socket.h"
#include "engine/plan.h"

namespace cnb {

// What a client sends first on every long-lived connection: the session's cookie and the flow's number, big endian.
constexpr size_t kPreambleBytes = 20;

SocketOptions socket_options(const Plan& plan);

class Deadline {
 public:
  explicit Deadline(int ms) : at_(now_ns() + static_cast<uint64_t>(ms) * 1'000'000u) {}
  uint64_t left_ns() const {
    const uint64_t now = now_ns();
    return now < at_ ? at_ - now : 0;
  }
  // Rounded up, so that waiting for it makes it pass.
  int left_ms() const { return static_cast<int>((left_ns() + 999'999) / 1'000'000); }

 private:
  uint64_t at_;
};

// Takes the same time wherever the first difference is.
bool same_cookie(const uint8_t* bytes, const Cookie& cookie);

// Local addresses that client sockets bind to, in turn. Ports are left to connect(2) (IP_BIND_ADDRESS_NO_PORT), so that
// one address can hold as many connections as there are free 4-tuples.
class SourceAddresses {
 public:
  explicit SourceAddresses(const Plan& plan);

  bool empty() const { return addresses_.empty(); }
  size_t size() const { return addresses_.size(); }
  const Address& at(size_t i) const { return addresses_[i % addresses_.size()]; }
  void bind_without_port(int fd, size_t turn) const;
  // Flow `turn` of a client: to a foreign peer it may have to come from a given port.
  void bind_flow(int fd, const Plan& plan, size_t turn) const;

 private:
  std::vector<Address> addresses_;
};

// Connects plan.flows sockets in parallel and sends each one's preamble; the result is ordered by flow. Throws
// SystemError (ETIMEDOUT when the deadline passes). Returns an empty vector when `wake` became readable and `cancelled`
// says so.
std::vector<Fd> connect_flows(const Plan& plan, int wake, const std::function<bool()>& cancelled);

// Connects once and returns that connection, to be closed again, so that a data port that cannot be reached is told
// before the run and not by a result without transactions. For CRR, whose flows connect only while traffic runs. Throws
// like connect_flows; nothing where that returns nothing.
Fd try_connect(const Plan& plan, int wake, const std::function<bool()>& cancelled);

// Accepts connections on `listener` until each of plan.flows flows has presented itself with the cookie. Others are
// closed: at once when they show something else, after a short deadline when they show nothing.
std::vector<Fd> admit_flows(const Plan& plan, int listener, int wake, const std::function<bool()>& cancelled);

}  // namespace cnb
