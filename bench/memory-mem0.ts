export async function compareWithMem0(_count: number, _ours: number): Promise<void> {
  console.log('mem0 is not installed');
}
