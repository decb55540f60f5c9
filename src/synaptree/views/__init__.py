"""Views: what a layerwise rule may compare an activity with. Chosen per layer; one view, one file.

A batch holds G objects of M inputs each (``M = members``), the inputs of one object next to each
other. Every input is compared with a context that is made from the same layer's activity:

=====================  ====================================  =====================================
view                   context of z                          information used
=====================  ====================================  =====================================
``sibling``            the next patch under the same parent  single inputs only; none for the top
``half_mask``          the position half a layer further on  single inputs only; none for the top
``half_mask:neurons``  the other half of the layer's units,  single inputs only
                       halves taking turns at each step
``half_mask:redrawn``  the same, new halves every two steps  single inputs only
``same_class``         another input of the same class       which inputs belong together
``trace:K``            the mean over K other inputs of the   the same, with K times less noise
                       same class (a synaptic trace)
``same_latent:k``      another rendering of the same tree    slowness at one level
                       below level k
``movie:p``            the next frame of a clip, in which    fast details, slow meaning
                       each node draws its rule anew with
                       probability p
=====================  ====================================  =====================================

All inputs of an object are compared with each other, so that each forward pass is used M times.
`same_latent` and `movie` have training sets of their own (`grammar.clips`); P counts every frame.
A new view is a file with a subclass of `base.View`, and a line in `registry.VIEWS`.
"""
