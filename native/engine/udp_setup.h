#pragma once

#include <functional>
#include <vector>

#include "core/epoll_set.h"
#include "core/fd.h"
#include "core/socket.h"
#include "engine/plan.h"

// How flows of UDP come up. A datagram's source address is whatever its sender wrote, so knowing the session's cookie
// is not enough: the server answers a flow's hello with a token, and only who sends that back has shown that it
// receives at the address it sends from. The answers are as long as the questions. docs/protocol.md has the layout.
namespace cnb {

constexpr size_t kHelloBytes = 29;

// Whether a datagram belongs to the setting up, and not to the test: its repetitions may come late.
bool is_hello(const uint8_t* data, size_t size, const Cookie& cookie);

// Connects plan.flows sockets; the result is ordered by flow. Throws and is cancelled as connect_flows is. To a foreign
// peer nothing is said beforehand.
std::vector<Fd> connect_udp_flows(const Plan& plan, int wake, const std::function<bool()>& cancelled);

// The server's side, for peers of our own.
class UdpDoor {
 public:
  // `listener` of receive_on().
  UdpDoor(const Plan& plan, int listener);

  // Waits until each of plan.flows flows has proved itself; throws and is cancelled as admit_flows is.
  std::vector<Fd> admit(int wake, const std::function<bool()>& cancelled);
  // Readable when there may be something to answer. The last answer to a flow may get lost, so the door answers until
  // traffic flows.
  int fd() const { return set_.fd(); }
  void answer();

 private:
  struct Visitor {
    Address address;
    uint64_t token = 0;
    int socket = -1;  // once it is admitted
  };

  void answer_stranger();
  void answer_admitted(size_t flow);
  void greet(Visitor& visitor, const Address& peer, const uint8_t* hello);
  void admit_one(size_t flow);

  const Plan& plan_;
  const int listener_;
  const Address at_;
  EpollSet set_;
  std::vector<Visitor> visitors_;
  std::vector<Fd> flows_;
  size_t admitted_ = 0;
};

}  // namespace cnb
