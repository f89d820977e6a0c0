// The datagrams of a running test: what a receiver counts, the answers that a client takes, the requests that a server
// answers.

#include <netinet/udp.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "engine/udp_setup.h"
#include "fuzz/input.h"
#include "fuzz/loopback.h"
#include "fuzz/parked_worker.h"
#include "io/datagrams.h"
#include "loops/udp_rr.h"

namespace cnb::fuzz {

namespace {

Plan plan_for(Role role, LoopKind loop) {
  Plan plan;
  plan.role = role;
  plan.loop = loop;
  plan.cookie = kCookie;
  plan.address = "127.0.0.1";
  plan.cpus = {-1};
  plan.recv_size = 2'000;
  plan.udp.emplace();
  return plan;
}

// A worker and who speaks to it.
struct Pair {
  explicit Pair(const Plan& plan) : worker(make(plan)) {}

  FlowCounters& counters() { return worker.recorder().flows[0]; }

  Fd peer = udp_on_loopback();
  Worker& worker;

 private:
  Worker& make(const Plan& plan) {
    Fd flow = udp_on_loopback();
    connect_to(peer, flow);
    // Foreign peers are known by where they come from.
    if (!plan.foreign || plan.role == Role::client) connect_to(flow, peer);
    if (plan.udp->gro) set_int(flow.get(), SOL_UDP, UDP_GRO, 1, "UDP_GRO");
    return parked_worker(plan, std::move(flow));
  }
};

// Sent in one piece, or cut into datagrams by the kernel.
bool send_train(const Fd& fd, const std::string& bytes, uint16_t segment) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof segment)] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (segment > 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof segment);
    std::memcpy(CMSG_DATA(header), &segment, sizeof segment);
  }
  return sendmsg(fd.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

std::string datagram(Input& in) {
  const uint8_t how = in.byte();
  std::string bytes(how % 4 == 1 ? kHelloBytes : in.word() % 1'900, static_cast<char>(how / 4 % 3));
  if (how % 4 == 1) std::copy(kCookie.begin(), kCookie.end(), bytes.begin());
  const auto some = in.bytes(how % 4 == 3 ? 64 : 0);
  std::copy_n(some.begin(), std::min(some.size(), bytes.size()), bytes.begin());
  return bytes;
}

void receive(Input& in) {
  static std::vector<std::unique_ptr<Pair>> pairs = [] {
    std::vector<std::unique_ptr<Pair>> all;
    for (const int kind : {0, 1, 2, 3, 4}) {
      Plan plan = plan_for(Role::server, LoopKind::receive);
      plan.udp->gro = kind == 1 || kind == 3;
      plan.udp->batch = kind >= 2 ? 4 : 1;
      plan.foreign = kind == 4;
      all.push_back(std::make_unique<Pair>(plan));
    }
    return all;
  }();
  Pair& pair = *pairs[in.byte() % pairs.size()];
  const Plan& plan = pair.worker.plan();
  DatagramReceiver receiver(pair.worker);
  const FlowCounters& counters = pair.counters();
  const uint64_t bytes_before = counters.bytes_received.load();
  const uint64_t received_before = counters.datagrams.received.load();
  const uint64_t marked_before = counters.datagrams.marked.load();
  uint64_t bytes = 0;
  uint64_t datagrams = 0;
  for (int i = 0; i < 6 && !in.empty(); i++) {
    const uint16_t segment = in.byte() % 2 == 0 ? 0 : static_cast<uint16_t>(1 + in.byte() * 4);
    const std::string data = datagram(in);
    if (!send_train(pair.peer, data, segment)) continue;
    bytes += data.size();
    datagrams += segment == 0 || data.size() <= segment ? 1 : (data.size() + segment - 1) / segment;
  }
  while (receiver.receive(0, MSG_DONTWAIT) != DatagramReceiver::Took::failure) {
  }
  const uint64_t marked = counters.datagrams.marked.load() - marked_before;
  const uint64_t received = counters.datagrams.received.load() - received_before;
  // A foreign sender's are cut to the size of its receives, which is larger than all of these.
  require(counters.bytes_received.load() - bytes_before <= bytes);
  require(received <= datagrams && marked <= received);
  require(!plan.foreign || marked == 0);
}

// A peer of a client: hears its requests, and answers them, or says something else.
class Answerer {
 public:
  Answerer(Pair& pair, Input& in) : pair_(pair), in_(in) {}

  // True where it has sent something.
  bool act() {
    std::array<char, 64> request;
    for (ssize_t n; (n = recv(pair_.peer.get(), request.data(), request.size(), MSG_DONTWAIT)) >= 0;) {
      heard_.emplace_back(request.data(), static_cast<size_t>(n));
    }
    const uint8_t what = in_.byte();
    std::string bytes(what % 4 == 0 ? in_.byte() : pair_.worker.plan().response, 'a');
    if (what % 4 == 1 || heard_.empty()) {
      const auto some = in_.bytes(12);
      std::copy_n(some.begin(), std::min(some.size(), bytes.size()), bytes.begin());
    } else {
      const std::string& request_heard = heard_[what / 4 % heard_.size()];
      std::copy_n(request_heard.begin(), std::min(request_heard.size(), bytes.size()), bytes.begin());
    }
    return send(pair_.peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
  }

 private:
  Pair& pair_;
  Input& in_;
  std::vector<std::string> heard_;
};

std::vector<std::unique_ptr<Pair>> asking_pairs() {
  std::vector<std::unique_ptr<Pair>> all;
  // Tags of one byte, of some and of all.
  for (const size_t size : {1u, 2u, 3u, 20u}) {
    for (const int kind : {0, 1, 2}) {
      Plan plan = plan_for(Role::client, LoopKind::rr);
      plan.request = plan.response = size;
      plan.burst = kind == 0 ? 0 : 5;
      plan.rate = kind == 1 ? 1'000'000 : 0;
      plan.foreign = kind == 2;
      plan.udp->retry_ms = 20;
      all.push_back(std::make_unique<Pair>(plan));
    }
  }
  return all;
}

void ask(Input& in) {
  static std::vector<std::unique_ptr<Pair>> pairs = asking_pairs();
  Pair& pair = *pairs[in.byte() % pairs.size()];
  const Buffer& buffer = pair.worker.recv_buffer();
  const int fd = pair.worker.flow_fd(0);
  const FlowCounters& counters = pair.counters();
  const auto settled = [&] { return counters.transactions.load() + counters.datagrams.lost.load(); };
  const auto begun = [&] { return counters.datagrams.sent.load() + counters.datagrams.refused.load(); };
  const uint64_t settled_before = settled();
  const uint64_t begun_before = begun();
  Answerer answerer(pair, in);
  udp_rr::Requests requests(pair.worker, MSG_DONTWAIT);
  require(requests.begin());
  for (int i = 0; i < 24 && !in.empty(); i++) {
    // Time passes as the input has it.
    const uint64_t now = now_ns() + in.byte() % 4 * 10'000'000u;
    require(requests.expire(now) && requests.send_due(now));
    if (!answerer.act()) continue;
    for (ssize_t n; (n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;) {
      require(requests.take(0, buffer.data(), static_cast<size_t>(n)));
    }
  }
  require(settled() - settled_before <= begun() - begun_before);
  require(begun() - begun_before - (settled() - settled_before) <= pair.worker.plan().burst + 1);
  drain(pair.peer);
}

void answer(Input& in) {
  static std::vector<std::unique_ptr<Pair>> pairs = [] {
    std::vector<std::unique_ptr<Pair>> all;
    for (const auto& [request, response] : {std::pair{1, 1}, {29, 3}, {4, 1'000}}) {
      Plan plan = plan_for(Role::server, LoopKind::rr);
      plan.request = static_cast<size_t>(request);
      plan.response = static_cast<size_t>(response);
      all.push_back(std::make_unique<Pair>(plan));
    }
    return all;
  }();
  Pair& pair = *pairs[in.byte() % pairs.size()];
  const Plan& plan = pair.worker.plan();
  const Buffer& buffer = pair.worker.recv_buffer();
  const bool hello = in.byte() % 4 == 0;
  const std::string asked = hello ? datagram(in) : std::string(plan.request, static_cast<char>(in.byte()));
  if (send(pair.peer.get(), asked.data(), asked.size(), MSG_NOSIGNAL) < 0) return;
  const ssize_t n = recv(pair.worker.flow_fd(0), buffer.data(), buffer.size(), MSG_DONTWAIT);
  udp_rr::answer(pair.worker, 0, buffer.data(), static_cast<size_t>(std::max<ssize_t>(n, 0)), MSG_DONTWAIT);
  std::array<char, 2'000> heard;
  const ssize_t size = recv(pair.peer.get(), heard.data(), heard.size(), MSG_DONTWAIT);
  const auto* bytes = reinterpret_cast<const uint8_t*>(asked.data());
  const bool due = asked.size() == plan.request && !is_hello(bytes, asked.size(), kCookie);
  require(size == (due ? static_cast<ssize_t>(plan.response) : -1));
  require(!due || std::memcmp(heard.data(), asked.data(), plan.tag_bytes()) == 0);
}

}  // namespace

}  // namespace cnb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cnb::fuzz::Input in(data, size);
  const uint8_t what = in.byte() % 3;
  if (what == 0) cnb::fuzz::receive(in);
  if (what == 1) cnb::fuzz::ask(in);
  if (what == 2) cnb::fuzz::answer(in);
  return 0;
}
