import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Which operations of the schedule are done fast, alone and together. Wherever a probe may look, a kernel ends.
extension CircuitExecutor {
  public var kernels: [Kernel<CircuitExecutor>] {
    let parts = schedule.parts
    let exchange = parts.read + parts.write
    var kernels: [Kernel<CircuitExecutor>] = [
      Kernel("receive", schedule.input) { $0.receiveToken(&$2) },
      Kernel("hear", parts.hear) { $0.hear(&$2) },
      Kernel("activate, rotate", parts.turn) { $0.activateAndRotate(&$2) },
      Kernel("read", parts.read) { $0.exchange($1, reads: true, writes: false, &$2) },
      Kernel("write", parts.write) { $0.exchange($1, reads: false, writes: true, &$2) },
      // Damping is lazy: a row is damped when it is next read or settled.
      Kernel("forget", parts.forget) { _, _, _ in },
      Kernel("read, write", exchange) { $0.exchange($1, reads: true, writes: true, &$2) },
      Kernel("listen", parts.listen) { $0.listen(&$2) },
      Kernel("gate, encode", parts.gate) { $0.gateAndEncode(&$2) },
      Kernel("listen, gate, encode", parts.listen + parts.gate) { $0.listenGateAndEncode(&$2) },
      Kernel("update the field", parts.field) { $0.updateField(&$2) },
      Kernel("read out", schedule.readout) { $0.readOut(&$2) },
    ]
    if layout.pairsStayInBlocks {
      kernels.append(
        Kernel("activate, rotate, read, write", parts.hear + parts.turn + exchange) {
          $0.activateRotateReadAndWrite($1, &$2)
        })
    }
    return kernels
  }
}
