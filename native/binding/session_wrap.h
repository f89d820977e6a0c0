#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/session.h"

namespace cnb {

// The JavaScript object around one Session. It keeps itself alive from construction until `ended` has been delivered,
// so that neither garbage collection nor a forgotten reference ends a run; tearing the environment down (process exit,
// worker.terminate()) stops and joins it first.
class SessionWrap : public Napi::ObjectWrap<SessionWrap> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit SessionWrap(const Napi::CallbackInfo& info);
  ~SessionWrap() override;

 private:
  static void deliver(Napi::Env env, Napi::Function callback, SessionWrap* wrap, void* event);
  using Notifier = Napi::TypedThreadSafeFunction<SessionWrap, void, deliver>;

  Napi::Value port(const Napi::CallbackInfo& info);
  void go(const Napi::CallbackInfo& info);
  void open_window(const Napi::CallbackInfo& info);
  void close_window(const Napi::CallbackInfo& info);
  void stop(const Napi::CallbackInfo& info);
  Napi::Value snapshot(const Napi::CallbackInfo& info);
  Napi::Value moved(const Napi::CallbackInfo& info);
  Napi::Value result(const Napi::CallbackInfo& info);

  static void on_teardown(void* wrap);
  void finish();
  void release();

  Notifier notifier_;
  // Until `ended` is delivered; then `result_` takes its place, for garbage collection may be long in coming.
  std::unique_ptr<Session> session_;
  std::optional<Result> result_;
  bool was_ready_ = false;
  uint16_t port_ = 0;
  bool live_ = false;
};

}  // namespace cnb
