#include "loops/loops.h"

namespace cnb {

Worker::Loop select_loop(const Plan& plan) {
  const bool block = plan.engine == Engine::block;
  const bool client = plan.role == Role::client;
  switch (plan.loop) {
    case LoopKind::send:
      return block ? send_block : send_epoll;
    case LoopKind::receive:
      return block ? receive_block : receive_epoll;
    case LoopKind::rr:
      if (client) return block ? rr_client_block : rr_client_epoll;
      return block ? rr_server_block : rr_server_epoll;
    case LoopKind::crr:
      if (client) return block ? crr_client_block : crr_client_epoll;
      return block ? crr_server_block : crr_server_epoll;
  }
  return nullptr;
}

}  // namespace cnb
