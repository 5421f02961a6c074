#include "rpc/work.hpp"

#include <cstdlib>
#include <vector>

#include <grpc/support/log.h>

#include "runtime/log.hpp"

namespace davit::rpc {

grpc::ByteBuffer to_buffer(std::string const& bytes) {
  grpc::Slice const slice(bytes);
  return {&slice, 1};
}

std::string to_bytes(grpc::ByteBuffer const& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (auto const& slice : slices) bytes.append(reinterpret_cast<char const*>(slice.begin()), slice.size());
  return bytes;
}

void Bridge::post(Task task) {
  loop_.post([is_open = is_open_, task = std::move(task)] {
    if (*is_open) task();
  });
}

void Running::add(Work& work) {
  std::lock_guard const lock(mutex_);
  all_.insert(&work);
  if (is_cancelled_) work.cancel();
}

void Running::remove(Work& work) {
  std::lock_guard const lock(mutex_);
  all_.erase(&work);
  shut_down_if_idle();
}

void Running::cancel() {
  std::lock_guard const lock(mutex_);
  is_cancelled_ = true;
  for (auto* work : all_) work->cancel();
}

void Running::close() {
  cancel();
  std::lock_guard const lock(mutex_);
  is_closing_ = true;
  shut_down_if_idle();
}

void Running::run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) static_cast<Event*>(tag)->on_event(ok);
}

void Running::shut_down_if_idle() {
  if (is_closing_ && all_.empty()) queue_->Shutdown();
}

void prepare_grpc() {
  ::setenv("GRPC_DNS_RESOLVER", "native", 0);  // names mean what they mean to the rest of the system
  gpr_set_log_function([](gpr_log_func_args* line) { runtime::logger("rpc").log(spdlog::level::warn, "{}", line->message); });
}

}  // namespace davit::rpc
