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
      Kernel("hear", parts.hear, parts: [blocks(Self.hear, before: { $0.beginHearing(&$2) })]),
      Kernel(
        "activate, rotate", parts.turn,
        parts: [blocks(Self.activate), blocks(Self.rotate, after: { $0.countActive(&$2) })]),
      Kernel("read", parts.read, parts: [self.exchange(reads: true, writes: false)]),
      Kernel("write", parts.write, parts: [self.exchange(reads: false, writes: true)]),
      // Damping is lazy: a row is damped when it is next read or settled.
      Kernel("forget", parts.forget) { _, _, _ in },
      Kernel("read, write", exchange, parts: [self.exchange(reads: true, writes: true)]),
      Kernel(
        "listen", parts.listen,
        parts: [
          blocks(
            Self.listen, before: { $0.hearAttention(&$2) },
            after: { $2.messages += $0.lists.total($0.lists.messages) })
        ]),
      Kernel(
        "gate, encode", parts.gate, parts: [blocks(Self.gateAndEncode, after: { $0.gatherEncoded(&$2) })]),
      Kernel(
        "listen, gate, encode", parts.listen + parts.gate,
        parts: [
          blocks(
            Self.listenGateAndEncode, before: { $0.hearAttention(&$2) }, after: { $0.gatherEncoded(&$2) })
        ]),
      Kernel("update the field", parts.field) { $0.updateField(&$2) },
      Kernel("read out", schedule.readout) { $0.readOut(&$2) },
    ]
    if layout.pairsStayInBlocks {
      kernels.append(
        Kernel(
          "activate, rotate, read, write", parts.hear + parts.turn + exchange,
          parts: [
            blocks(
              Self.activateRotateReadAndWrite,
              before: {
                $0.openRows($1)
                $0.beginHearing(&$2)
              },
              after: {
                $0.countActive(&$2)
                $0.finishExchange(reads: true, writes: true, &$2)
              })
          ]))
    }
    return kernels
  }

  private func exchange(reads: Bool, writes: Bool) -> KernelPart<CircuitExecutor> {
    blocks(
      { Self.exchange($0, $1, reads: reads, writes: writes) },
      before: { executor, layer, _ in executor.openRows(layer) },
      after: { $0.finishExchange(reads: reads, writes: writes, &$2) })
  }

  private func blocks(
    _ work: @escaping (Streams<CircuitExecutor>, Int) -> Void,
    before: KernelPart<CircuitExecutor>.Work? = nil, after: KernelPart<CircuitExecutor>.Work? = nil
  ) -> KernelPart<CircuitExecutor> {
    KernelPart(before: before, blocks: .init(count: layout.blocks.count, on: workers, work), after: after)
  }
}

/// What kernels do in a block, for all streams.
extension CircuitExecutor {
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func hear(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.hear($0.layout.blocks[index], index) }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func activate(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.activateX($0.layout.blocks[index], index) }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func rotate(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.rotateAndCollect($0.layout.blocks[index], index) }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func exchange(
    _ streams: Streams<CircuitExecutor>, _ index: Int, reads: Bool, writes: Bool
  ) {
    streams.each { $0.exchangePlastic($0.layout.blocks[index], index, reads: reads, writes: writes) }
  }

  /// Every stream hears while D_x is in the cache; its plastic synapses are its own.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func activateRotateReadAndWrite(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    hear(streams, index)
    streams.each {
      let block = $0.layout.blocks[index]
      $0.activateX(block, index)
      $0.rotateAndCollect(block, index)
      $0.exchangePlastic(block, index, reads: true, writes: true)
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func listen(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.listen($0.layout.blocks[index], index) }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func gateAndEncode(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each {
      $0.lists.messages.base[index] = 0
      $0.gateAndEncode($0.layout.blocks[index], index)
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func listenGateAndEncode(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    listen(streams, index)
    streams.each { $0.gateAndEncode($0.layout.blocks[index], index) }
  }
}
