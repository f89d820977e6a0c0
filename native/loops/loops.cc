#include "loops/loops.h"

#include <array>
#include <stdexcept>
#include <string>

#include "io/uring.h"

namespace cnb {

namespace {

// One loop's function for each engine, in the order of the enumeration.
using ByEngine = std::array<Worker::Loop, 4>;

constexpr ByEngine kSend{send_block, send_epoll, send_spin, send_uring};
constexpr ByEngine kReceive{receive_block, receive_epoll, receive_spin, receive_uring};
constexpr ByEngine kRrClient{rr_client_block, rr_epoll, rr_spin, rr_uring};
constexpr ByEngine kRrServer{rr_server_block, rr_epoll, rr_spin, rr_uring};
constexpr ByEngine kCrrClient{crr_client_block, crr_client_epoll, crr_client_spin, crr_client_uring};
constexpr ByEngine kCrrServer{crr_server_block, crr_server_epoll, crr_server_spin, crr_server_uring};
// Engine uring carries none of these.
constexpr ByEngine kUdpSend{udp_send_block, udp_send_epoll, udp_send_spin, nullptr};
constexpr ByEngine kUdpReceive{udp_receive_block, udp_receive_epoll, udp_receive_spin, nullptr};
constexpr ByEngine kUdpRrClient{udp_rr_client_block, udp_rr_epoll, udp_rr_spin, nullptr};
constexpr ByEngine kUdpRrServer{udp_rr_server_block, udp_rr_epoll, udp_rr_spin, nullptr};

const ByEngine& udp_loops_of(const Plan& plan) {
  if (plan.loop == LoopKind::send) return kUdpSend;
  if (plan.loop == LoopKind::receive) return kUdpReceive;
  return plan.role == Role::client ? kUdpRrClient : kUdpRrServer;
}

const ByEngine& loops_of(const Plan& plan) {
  const bool client = plan.role == Role::client;
  if (plan.udp) return udp_loops_of(plan);
  switch (plan.loop) {
    case LoopKind::send:
      return kSend;
    case LoopKind::receive:
      return kReceive;
    case LoopKind::rr:
      return client ? kRrClient : kRrServer;
    default:
      return client ? kCrrClient : kCrrServer;
  }
}

}  // namespace

Worker::Loop select_loop(const Plan& plan) {
  if (plan.engine == Engine::uring) {
    const std::string reason = uring_unavailable_reason();
    if (!reason.empty()) throw std::invalid_argument("engine: uring cannot run: " + reason);
  }
  return loops_of(plan)[static_cast<size_t>(plan.engine)];
}

}  // namespace cnb
