// TCP_RR: a request and its response, again and again, on flows that stay open. With blocking calls, one flow per
// worker.

#include "loops/rr.h"

#include <algorithm>
#include <utility>

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

// In as few sends as the buffer allows.
bool send_together(int fd, const Buffer& buffer, size_t bytes) {
  for (size_t size = 0; bytes > 0; bytes -= size) {
    size = std::min(bytes, buffer.size());
    if (!send_all(fd, buffer.data(), size)) return false;
  }
  return true;
}

}  // namespace

void rr_client_block(Worker& worker) {
  const Plan& plan = worker.plan();
  if (plan.open_loop()) return rr_client_block_open(worker);
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  const Buffer& requests = worker.send_buffer();
  Buffer& scratch = worker.recv_buffer();
  // Bytes that wait to go out together with others.
  size_t due = 0;
  const auto send_one = [&] {
    if (!plan.coalesce) return send_all(fd, requests.data(), plan.request);
    due += plan.request;
    return true;
  };

  rr::SendTimes times(plan.burst + 1);
  for (size_t i = 0; i <= plan.burst; i++) {
    times.start(i, now_ns());
    if (!send_one()) return worker.fail("send", errno, fd);
  }
  if (!send_together(fd, requests, std::exchange(due, 0))) return worker.fail("send", errno, fd);
  size_t have = 0;
  uint64_t done = 0;
  while (!worker.stopping()) {
    const ssize_t n = recv_some(fd, scratch.data(), scratch.size());
    if (n <= 0) return n == 0 ? worker.fail_peer_closed(fd) : worker.fail("recv", errno, fd);
    for (have += static_cast<size_t>(n); have >= plan.response; have -= plan.response) {
      rr::complete(worker, 0, times, now_ns());
      if (plan.foreign && (worker.reached_limit(++done) || worker.finishing())) return end_in_band(fd);
      if (!send_one()) return worker.fail("send", errno, fd);
    }
    if (!send_together(fd, requests, std::exchange(due, 0))) return worker.fail("send", errno, fd);
  }
}

void rr_server_block(Worker& worker) {
  const Plan& plan = worker.plan();
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  const Buffer& responses = worker.send_buffer();
  Buffer& scratch = worker.recv_buffer();
  size_t have = 0;
  while (!worker.stopping()) {
    const ssize_t n = recv_some(fd, scratch.data(), scratch.size());
    if (n <= 0) return n == 0 ? worker.fail_peer_closed(fd) : worker.fail("recv", errno, fd);
    size_t due = 0;
    for (have += static_cast<size_t>(n); have >= plan.request; have -= plan.request) {
      if (plan.coalesce) {
        due += plan.response;
      } else if (!send_all(fd, responses.data(), plan.response)) {
        return worker.fail("send", errno, fd);
      }
      rr::count(worker.recorder(), 0, plan.response, plan.request);
    }
    if (!send_together(fd, responses, due)) return worker.fail("send", errno, fd);
  }
}

}  // namespace cnb
