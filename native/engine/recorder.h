#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/counter.h"
#include "core/histogram.h"

namespace cnb {

// The stages of a session, in order. Workers read it once per transaction; only the session writes it.
enum class Stage : uint32_t { warmup, window, winddown, stop };

// Failed connection attempts of CRR.
struct ConnectErrors {
  Counter ports_exhausted;
  Counter refused;
  Counter timed_out;
  Counter reset;
  Counter other;

  void count(int err);
};

// UDP only.
struct DatagramCounters {
  Counter sent;
  Counter received;
  // Of those received, the ones that their sender sent within its window.
  Counter marked;
  // Requests without an answer in time, and answers that nobody waited for any more.
  Counter lost;
  Counter late;
  // Sends that the kernel had no memory for.
  Counter refused;
};

struct FlowCounters {
  Counter bytes_sent;
  Counter bytes_received;
  Counter transactions;
  Counter connections;
  ConnectErrors errors;
  DatagramCounters datagrams;
};

struct LatencyRecord {
  Histogram latency;
  // CRR and CC only.
  std::optional<Histogram> connect;
  // CRR only.
  std::optional<Histogram> request;
};

// Bytes handed over with MSG_ZEROCOPY and what the kernel said became of them.
struct ZerocopyCounters {
  Counter requested;
  Counter zero_copied;
  Counter copied;
};

// Bytes received with TCP_ZEROCOPY_RECEIVE: those that the kernel mapped, and those that had to be copied.
struct RxZerocopyCounters {
  Counter mapped;
  Counter copied;
};

// Where one worker counts. It has two: one for the window and one for everything around it.
struct Recorder {
  // `timed`: histograms are kept; of the phases of a transaction, too, where it has them.
  void prepare(size_t flow_count, bool timed, bool connects, bool requests);

  std::unique_ptr<FlowCounters[]> flows;
  std::unique_ptr<LatencyRecord> latency;
  ZerocopyCounters zerocopy;
  RxZerocopyCounters rx_zerocopy;
};

}  // namespace cnb
