#include "io/datagrams.h"

#include <netinet/udp.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/clock.h"
#include "engine/udp_setup.h"
#include "io/block.h"
#include "io/calls.h"

namespace cnb {

namespace {

// The first byte of a datagram of our own.
constexpr uint8_t kOutside = 0;
constexpr uint8_t kWithin = 1;

// As netperf does it.
constexpr int kEndings = 3;

// How long a datagram of a train is (UDP_GRO), 0 where it came alone.
size_t segment_of(const msghdr& message) {
  for (const cmsghdr* one = CMSG_FIRSTHDR(&message); one;
       one = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(one))) {
    if (one->cmsg_level != SOL_UDP || one->cmsg_type != UDP_GRO) continue;
    int segment;
    std::memcpy(&segment, CMSG_DATA(one), sizeof segment);
    return static_cast<size_t>(segment);
  }
  return 0;
}

}  // namespace

KnownPeers::KnownPeers(const Plan& plan) {
  for (const std::string& address : plan.addresses) peers_.push_back(Address::parse(address, 0));
}

bool KnownPeers::admits(const Address& peer) {
  if (peers_.empty()) peers_.push_back(peer);
  return std::any_of(peers_.begin(), peers_.end(), [&](const Address& one) { return one.same_host(peer); });
}

DatagramSender::DatagramSender(Worker& worker)
    : worker_(worker),
      size_(worker.plan().send_size),
      train_bytes_(size_ * worker.plan().train()),
      pieces_(worker.plan().udp->batch, iovec{worker.send_buffer().data(), train_bytes_}),
      messages_(pieces_.size()) {
  for (size_t i = 0; i < messages_.size(); i++) {
    messages_[i].msg_hdr.msg_iov = &pieces_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
  marked_ = true;
  mark(false);
}

void DatagramSender::mark(bool counts) {
  if (counts == marked_ || worker_.plan().foreign) return;
  marked_ = counts;
  uint8_t* data = worker_.send_buffer().data();
  for (size_t at = 0; at < train_bytes_; at += size_) data[at] = counts ? kWithin : kOutside;
}

ssize_t DatagramSender::send(size_t flow, int flags) {
  const Plan& plan = worker_.plan();
  const Stage stage = worker_.stage();
  mark(stage == Stage::window);
  const uint64_t started = plan.time_calls ? now_ns() : 0;
  const ssize_t bytes = hand_over(worker_.flow_fd(flow), flags | MSG_NOSIGNAL);
  if (bytes <= 0) return bytes;
  // What it was marked as, whatever stage it is by now.
  Recorder& recorder = worker_.recorder_of(stage);
  FlowCounters& counters = recorder.flows[flow];
  const uint64_t datagrams = static_cast<uint64_t>(bytes) / size_;
  counters.bytes_sent.add(static_cast<uint64_t>(bytes));
  counters.datagrams.sent.add(datagrams);
  if (plan.foreign) counters.transactions.add(datagrams);
  if (started != 0 && recorder.latency) recorder.latency->latency.record(now_ns() - started);
  return bytes;
}

ssize_t DatagramSender::hand_over(int fd, int flags) {
  if (messages_.size() == 1) return calls::send(fd, worker_.send_buffer().data(), train_bytes_, flags);
  const int messages = calls::send_many(fd, messages_.data(), messages_.size(), flags);
  return messages < 0 ? -1 : static_cast<ssize_t>(static_cast<size_t>(messages) * train_bytes_);
}

bool DatagramSender::passes(size_t flow, int err) {
  if (would_block(err)) return true;
  if (err != ENOBUFS && err != ENOMEM) return false;
  worker_.recorder().flows[flow].datagrams.refused.add(1);
  // Whoever is to make room may wait for this CPU.
  sched_yield();
  return true;
}

DatagramReceiver::DatagramReceiver(Worker& worker)
    : worker_(worker),
      plain_(worker.plan().udp->batch == 1 && !worker.plan().udp->gro && !worker.plan().foreign),
      room_(worker.recv_buffer().size() / worker.plan().udp->batch),
      peers_(worker.plan()),
      pieces_(worker.plan().udp->batch),
      from_(pieces_.size()),
      control_(pieces_.size()),
      messages_(pieces_.size()) {}

DatagramReceiver::Took DatagramReceiver::receive(size_t flow, int flags) {
  return plain_ ? receive_one(flow, flags) : receive_many(flow, flags);
}

DatagramReceiver::Took DatagramReceiver::receive_one(size_t flow, int flags) {
  const Buffer& buffer = worker_.recv_buffer();
  const ssize_t n = calls::recv(worker_.flow_fd(flow), buffer.data(), buffer.size(), flags);
  if (n < 0) return Took::failure;
  if (n == 0) return Took::nothing;
  count(flow, buffer.data(), static_cast<size_t>(n), 0);
  return Took::something;
}

// The kernel writes into the headers what came, so they are made anew for each call.
void DatagramReceiver::prepare() {
  const Plan& plan = worker_.plan();
  for (size_t i = 0; i < messages_.size(); i++) {
    pieces_[i] = {worker_.recv_buffer().data() + i * room_, room_};
    msghdr& header = messages_[i].msg_hdr;
    header = {};
    header.msg_iov = &pieces_[i];
    header.msg_iovlen = 1;
    if (plan.udp->gro) {
      header.msg_control = control_[i].bytes;
      header.msg_controllen = sizeof control_[i].bytes;
    }
    if (plan.foreign) {
      header.msg_name = from_[i].raw();
      header.msg_namelen = Address::capacity();
    }
  }
}

DatagramReceiver::Took DatagramReceiver::receive_many(size_t flow, int flags) {
  prepare();
  const uint64_t started = worker_.plan().time_calls ? now_ns() : 0;
  const int count =
      calls::receive_many(worker_.flow_fd(flow), messages_.data(), messages_.size(), flags | MSG_WAITFORONE);
  if (count < 0) return Took::failure;
  Took took = Took::nothing;
  for (size_t i = 0; i < static_cast<size_t>(count); i++) {
    const Took one = take(flow, i);
    if (one == Took::end) return one;
    if (one == Took::something) took = one;
  }
  Recorder& recorder = worker_.recorder();
  if (started != 0 && recorder.latency) recorder.latency->latency.record(now_ns() - started);
  return took;
}

DatagramReceiver::Took DatagramReceiver::take(size_t flow, size_t i) {
  const mmsghdr& message = messages_[i];
  if (worker_.plan().foreign) {
    // The session's stop ends the waiting with a message of no bytes from nowhere.
    if (message.msg_hdr.msg_namelen == 0 || !peers_.admits(from_[i])) return Took::nothing;
    if (message.msg_len == 0) return Took::end;
    worker_.recorder().flows[flow].transactions.add(1);
  }
  if (message.msg_len == 0) return Took::nothing;
  count(flow, static_cast<const uint8_t*>(pieces_[i].iov_base), message.msg_len, segment_of(message.msg_hdr));
  return Took::something;
}

void DatagramReceiver::count(size_t flow, const uint8_t* data, size_t size, size_t segment) {
  const Plan& plan = worker_.plan();
  if (!plan.foreign && is_hello(data, size, plan.cookie)) return;
  FlowCounters& counters = worker_.recorder().flows[flow];
  const size_t each = segment == 0 ? size : segment;
  counters.bytes_received.add(size);
  counters.datagrams.received.add((size + each - 1) / each);
  if (plan.foreign) return;
  uint64_t marked = 0;
  for (size_t at = 0; at < size; at += each) marked += data[at] == kWithin;
  counters.datagrams.marked.add(marked);
}

void end_by_datagrams(int fd) {
  for (int i = 0; i < kEndings; i++) calls::send(fd, nullptr, 0, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace cnb
