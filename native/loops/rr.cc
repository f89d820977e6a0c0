// TCP_RR: a request and its response, again and again, on flows that stay open. With blocking calls, one flow per
// worker.

#include "loops/rr.h"

#include "core/clock.h"
#include "io/block.h"
#include "io/pause.h"
#include "loops/loops.h"

namespace cnb {

namespace {

void rr_client_block_open(Worker& worker) {
  const Plan& plan = worker.plan();
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  Buffer& scratch = worker.recv_buffer();
  Pause pause(worker);
  OpenLoop open(worker, plan.burst + 1);
  const auto send_one = [&](size_t) { return send_all(fd, worker.send_buffer().data(), plan.request); };
  size_t have = 0;
  uint64_t done = 0;
  while (!worker.finishing()) {
    if (!open.send_due(now_ns(), send_one)) return worker.fail("send", errno, fd);
    // With all that it may have under way the flow has nothing to do but to receive.
    if (open.next() != UINT64_MAX && !pause.until(open.next(), fd)) continue;
    const ssize_t n = recv_some(fd, scratch.data(), scratch.size());
    if (n <= 0) return n == 0 ? worker.fail_peer_closed(fd) : worker.fail("recv", errno, fd);
    for (have += static_cast<size_t>(n); have >= plan.response; have -= plan.response) {
      rr::complete(worker, 0, open, now_ns());
      if (worker.reached_limit(++done)) return end_in_band(fd);
    }
  }
  if (plan.foreign) end_in_band(fd);
}

}  // namespace

void rr_client_block(Worker& worker) {
  const Plan& plan = worker.plan();
  if (plan.open_loop()) return rr_client_block_open(worker);
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  const uint8_t* request = worker.send_buffer().data();
  Buffer& scratch = worker.recv_buffer();

  rr::SendTimes times(plan.burst + 1);
  for (size_t i = 0; i <= plan.burst; i++) {
    times.start(i, now_ns());
    if (!send_all(fd, request, plan.request)) return worker.fail("send", errno, fd);
  }
  size_t have = 0;
  uint64_t done = 0;
  while (!worker.stopping()) {
    const ssize_t n = recv_some(fd, scratch.data(), scratch.size());
    if (n <= 0) return n == 0 ? worker.fail_peer_closed(fd) : worker.fail("recv", errno, fd);
    for (have += static_cast<size_t>(n); have >= plan.response; have -= plan.response) {
      rr::complete(worker, 0, times, now_ns());
      if (plan.foreign && (worker.reached_limit(++done) || worker.finishing())) return end_in_band(fd);
      if (!send_all(fd, request, plan.request)) return worker.fail("send", errno, fd);
    }
  }
}

void rr_server_block(Worker& worker) {
  const Plan& plan = worker.plan();
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  Buffer& scratch = worker.recv_buffer();
  size_t have = 0;
  while (!worker.stopping()) {
    const ssize_t n = recv_some(fd, scratch.data(), scratch.size());
    if (n <= 0) return n == 0 ? worker.fail_peer_closed(fd) : worker.fail("recv", errno, fd);
    for (have += static_cast<size_t>(n); have >= plan.request; have -= plan.request) {
      if (!send_all(fd, worker.send_buffer().data(), plan.response)) return worker.fail("send", errno, fd);
      rr::count(plan, worker.recorder(), 0);
    }
  }
}

}  // namespace cnb
